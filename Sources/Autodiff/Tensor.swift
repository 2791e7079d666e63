import CKernels
import Compute

/// A matrix of float32 values on the tape, `rows` × `columns` (a row is a token), and in the backward pass the gradient of
/// the loss for it.
public final class Tensor {
  public let rows: Int
  public let columns: Int
  public let values: Buffer
  /// Whether a loss can reach it: a parameter under training, or something computed from one.
  public let tracksGradient: Bool
  /// Set between the first contribution to it in the backward pass and its use. A parameter's stays until the
  /// optimiser has taken it; no gradient means a gradient of zero.
  public internal(set) var gradient: Buffer?

  public init(rows: Int, columns: Int, values: Buffer, tracksGradient: Bool = false) {
    precondition(values.count >= rows * columns)
    self.rows = rows
    self.columns = columns
    self.values = values
    self.tracksGradient = tracksGradient
  }

  public var count: Int { rows * columns }
  public var pointer: UnsafeMutablePointer<Float> { values.pointer }
  public var matrix: Matrix { Matrix(values.pointer, rows: rows, columns: columns) }

  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { values.pointer + index * columns }

  public func clearGradient() { gradient = nil }

  public func setZeroGradient(_ engine: Engine) {
    let zero = engine.memory.take(count)
    zero.zero()
    gradient = zero
  }

  /// Where a contribution to the gradient goes, and whether it is added to what is there (beta 1) or is the first (beta 0:
  /// the memory holds anything). A gradient that another tensor shares is copied first.
  func gradientSink(_ engine: Engine) -> (pointer: UnsafeMutablePointer<Float>, isFirst: Bool) {
    if gradient == nil {
      let new = engine.memory.take(count)
      gradient = new
      return (new.pointer, true)
    }
    return (ownGradient(engine)!.pointer, false)
  }

  /// Gives the gradient of something that this tensor was added into unscaled: shared where it is the first.
  func addGradient(_ other: Buffer, _ engine: Engine) {
    guard let mine = ownGradient(engine) else {
      gradient = other
      return
    }
    engine.rows(count, cost: 1) { range in
      pmae_axpy(1, other.pointer + range.lowerBound, mine.pointer + range.lowerBound, range.count)
    }
  }

  /// The gradient, copied first where another tensor shares it.
  func ownGradient(_ engine: Engine) -> Buffer? {
    if gradient == nil || isKnownUniquelyReferenced(&gradient) { return gradient }
    let copy = engine.memory.take(count)
    copy.pointer.update(from: gradient!.pointer, count: count)
    gradient = copy
    return copy
  }
}

/// A named weight of a network.
public final class Parameter {
  /// timm's or MAE's name, without the part's prefix.
  public let name: String
  /// As in PyTorch; `tensor` is its matrix, the first dimension by all the others.
  public let shape: [Int]
  public let tensor: Tensor
  /// Whether weight decay applies: matrices alone, no biases, norms or one-row tokens.
  public var decays: Bool { shape.count > 1 && !name.hasSuffix("_token") }

  /// - Parameter trained: whether gradients are kept for it; a teacher's or a frozen network's weights take none.
  public init(_ name: String, shape: [Int], engine: Engine, trained: Bool) {
    self.name = name
    self.shape = shape
    let count = shape.reduce(1, *)
    // A one-row token [1, 1, D] and a vector [D] are one row; everything else has its outputs as rows.
    let rows = shape.count == 1 || name.hasSuffix("_token") ? 1 : shape[0]
    tensor = Tensor(rows: rows, columns: count / rows, values: engine.memory.take(count), tracksGradient: trained)
    tensor.values.zero()
  }

  public var values: Buffer { tensor.values }
}
