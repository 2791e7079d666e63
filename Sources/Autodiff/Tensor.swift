import CKernels
import Compute

/// A matrix of float32 values on the tape, `rows` × `columns` (a row is a token), and in the backward pass the gradient of
/// the loss for it.
public final class Tensor {
  public let rows: Int
  public let columns: Int
  /// Values from a row's start to the next one's.
  public let stride: Int
  /// Whether the values are bfloat16: what only matrix products read, where a tape multiplies in bfloat16.
  public let isNarrow: Bool
  /// Whether its gradient is.
  private let hasNarrowGradient: Bool
  /// Whether a loss can reach it: a parameter under training, or something computed from one.
  public let tracksGradient: Bool
  /// Set between the first contribution to it in the backward pass and its use. A parameter's stays until the
  /// optimiser has taken it; no gradient means a gradient of zero.
  public internal(set) var gradient: Tensor?
  private var stored: Buffer?
  private let remake: (() -> Buffer)?

  /// Rows that follow each other without gaps: weights, labels, features.
  public init(rows: Int, columns: Int, values: Buffer, tracksGradient: Bool = false) {
    precondition(values.count >= rows * columns)
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    stride = columns
    isNarrow = false
    hasNarrowGradient = false
    stored = values
    remake = nil
  }

  /// Memory for a tensor that an operation computes, of any content.
  init(rows: Int, columns: Int, engine: Engine, tracksGradient: Bool = false) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    stride = Self.stride(columns)
    isNarrow = false
    hasNarrowGradient = false
    stored = engine.memory.take(rows * stride)
    remake = nil
  }

  /// The same in bfloat16, its gradient too.
  init(narrowRows rows: Int, columns: Int, engine: Engine, tracksGradient: Bool = false) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    stride = columns
    isNarrow = true
    hasNarrowGradient = true
    stored = engine.memory.take((rows * columns + 1) / 2)
    remake = nil
  }

  /// A tensor that is cheap to compute again: it can be let go of after its use in the forward pass, and comes back when the
  /// backward pass asks for its values.
  /// - Parameters:
  ///   - isNarrow: whether its values are bfloat16; its gradient is float32 all the same.
  ///   - remake: computes its values, the same bits each time.
  init(rows: Int, columns: Int, tracksGradient: Bool, isNarrow: Bool, remake: @escaping () -> Buffer) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    self.remake = remake
    self.isNarrow = isNarrow
    hasNarrowGradient = false
    stride = isNarrow ? columns : Self.stride(columns)
  }

  /// Rows of a multiple of 512 bytes are set one cache line further apart. A column of the matrix, which a weight's gradient
  /// walks along, would else fall into few sets of the caches and push itself out (measured: 64 instead of 108 GFLOP/s at 2,048
  /// columns).
  static func stride(_ columns: Int) -> Int { columns >= 256 && columns % 128 == 0 ? columns + 16 : columns }

  public var values: Buffer {
    if let stored { return stored }
    guard let remake else { preconditionFailure("a tensor without values") }
    let made = remake()
    stored = made
    return made
  }

  /// Frees the values if they can be computed again.
  func letGo() { if remake != nil { stored = nil } }

  public var count: Int { rows * columns }
  /// What reading or writing it once counts for in a profile, in float32 values.
  var traffic: Int { isNarrow ? (count + 1) / 2 : count }
  public var pointer: UnsafeMutablePointer<Float> { values.pointer }
  public var matrix: Matrix {
    precondition(!isNarrow, "float32 asked of bfloat16 values")
    return Matrix(values.pointer, rows: rows, columns: columns, stride: stride)
  }
  /// The values where they are bfloat16.
  var narrow: BFloat16Matrix {
    precondition(isNarrow, "bfloat16 asked of float32 values")
    return BFloat16Matrix(values.pointer.asNarrow, rows: rows, columns: columns, stride: stride)
  }
  var operand: Operand { isNarrow ? .bfloat16(narrow) : .float32(matrix) }

  /// For one row: a loop over rows asks for `matrix` before it starts, since each look at a tensor counts a reference that
  /// all threads write to.
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { values.pointer + index * stride }

  public func clearGradient() { gradient = nil }

  public func setZeroGradient(_ engine: Engine) {
    let zero = emptyLike(engine)
    zero.values.zero()
    gradient = zero
  }

  /// Memory for its gradient.
  private func emptyLike(_ engine: Engine) -> Tensor {
    hasNarrowGradient
      ? Tensor(narrowRows: rows, columns: columns, engine: engine)
      : stride == columns && !isNarrow
        ? Tensor(rows: rows, columns: columns, values: engine.memory.take(count))
        : Tensor(rows: rows, columns: columns, engine: engine)
  }

  /// Where a contribution to the gradient goes, and whether it is the first (the memory holds anything) or is added to what is
  /// there. A gradient that another tensor shares is copied first.
  /// bfloat16 values go to one operation alone, so that nothing is ever added to their gradient.
  func gradientSink(_ engine: Engine) -> (gradient: Tensor, isFirst: Bool) {
    if let mine = ownGradient(engine) {
      precondition(!mine.isNarrow, "a bfloat16 tensor that is used twice")
      return (mine, false)
    }
    let new = emptyLike(engine)
    gradient = new
    return (new, true)
  }

  /// Gives the gradient of something that this tensor was added into unscaled: shared where it is the first.
  func addGradient(_ other: Tensor, _ engine: Engine) {
    guard let mine = ownGradient(engine) else {
      gradient = other
      return
    }
    engine.rows(rows, cost: columns) { [columns, mine = mine.matrix, other = other.matrix] range in
      for r in range { pmae_axpy(1, other.row(r), mine.row(r), columns) }
    }
  }

  /// The gradient, copied first where another tensor shares it.
  private func ownGradient(_ engine: Engine) -> Tensor? {
    // Looked at before anything else here refers to it.
    if gradient == nil || isKnownUniquelyReferenced(&gradient) { return gradient }
    let copy = emptyLike(engine)
    engine.copy(gradient!, to: copy)
    gradient = copy
    return copy
  }
}
