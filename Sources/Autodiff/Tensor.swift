import CKernels
import Compute
import Parallel

/// A matrix of float32 values on the tape, `rows` × `columns` (a row is a token), and in the backward pass the gradient of
/// the loss for it.
public final class Tensor {
  public let rows: Int
  public let columns: Int
  /// Values from a row's start to the next one's.
  public let stride: Int
  /// Whether the values are bfloat16: those of a tensor that only matrix products read, where a tape multiplies in
  /// bfloat16.
  public let isBFloat16: Bool
  /// Whether its gradient is.
  private let hasBFloat16Gradient: Bool
  /// Whether a loss can reach it: a parameter under training, or something computed from one.
  public let tracksGradient: Bool
  /// Whether it is no operation's result: a parameter under training.
  let isLeaf: Bool
  /// Set between the first contribution to it in the backward pass and its use. A parameter's stays until the
  /// optimiser has taken it; no gradient means a gradient of zero.
  public internal(set) var gradient: Tensor?
  private var stored: Buffer?
  private let recompute: (() -> Buffer)?

  /// Rows that follow each other without gaps: weights, labels, features.
  public init(rows: Int, columns: Int, values: Buffer, tracksGradient: Bool = false) {
    precondition(values.count >= rows * columns)
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    isLeaf = tracksGradient
    stride = columns
    isBFloat16 = false
    hasBFloat16Gradient = false
    stored = values
    recompute = nil
  }

  /// Memory for a tensor that an operation computes, of any content.
  init(rows: Int, columns: Int, engine: Engine, tracksGradient: Bool = false) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    isLeaf = false
    stride = Self.stride(columns)
    isBFloat16 = false
    hasBFloat16Gradient = false
    stored = engine.memory.take(rows * stride)
    recompute = nil
  }

  /// The same in bfloat16, its gradient too.
  init(bfloat16Rows rows: Int, columns: Int, engine: Engine, tracksGradient: Bool = false) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    isLeaf = false
    stride = columns
    isBFloat16 = true
    hasBFloat16Gradient = true
    stored = engine.memory.take((rows * columns + 1) / 2)
    recompute = nil
  }

  /// A tensor that is cheap to compute again. It can be released after its use in the forward pass, and comes back when
  /// the backward pass needs its values.
  /// - Parameters:
  ///   - isBFloat16: whether its values are bfloat16; its gradient is float32 all the same.
  ///   - recompute: computes its values, the same bits each time.
  init(rows: Int, columns: Int, tracksGradient: Bool, isBFloat16: Bool, recompute: @escaping () -> Buffer) {
    self.rows = rows
    self.columns = columns
    self.tracksGradient = tracksGradient
    isLeaf = false
    self.recompute = recompute
    self.isBFloat16 = isBFloat16
    hasBFloat16Gradient = false
    stride = isBFloat16 ? columns : Self.stride(columns)
  }

  /// Rows of a multiple of 512 bytes are set one cache line further apart. Otherwise a column of the matrix, which a
  /// weight's gradient walks along, would fall into few sets of the caches and evict itself (measured: 64 instead of
  /// 108 GFLOP/s at 2,048 columns).
  static func stride(_ columns: Int) -> Int { columns >= 256 && columns % 128 == 0 ? columns + 16 : columns }

  /// Its memory. Values that were released are computed again here. That never happens in a task, since lending comes
  /// before tasks start.
  public var values: Buffer {
    if let stored { return stored }
    guard let recompute else { preconditionFailure("a tensor without values") }
    precondition(!ThreadPool.isInsideTask, "a task asks for a tensor's values: lend them before it starts")
    let made = recompute()
    stored = made
    return made
  }

  /// Frees the values if they can be computed again.
  func letGo() { if recompute != nil { stored = nil } }

  public var count: Int { rows * columns }
  /// 32-bit words that reading or writing it once moves, for a profile: two values of bfloat16 are one.
  var wordsMoved: Int { isBFloat16 ? (count + 1) / 2 : count }

  public func clearGradient() { gradient = nil }

  public func setZeroGradient(_ engine: Engine) {
    let zero = emptyLike(engine)
    zero.values.zero()
    gradient = zero
  }

  /// Memory for its gradient.
  private func emptyLike(_ engine: Engine) -> Tensor {
    hasBFloat16Gradient
      ? Tensor(bfloat16Rows: rows, columns: columns, engine: engine)
      : stride == columns && !isBFloat16
        ? Tensor(rows: rows, columns: columns, values: engine.memory.take(count))
        : Tensor(rows: rows, columns: columns, engine: engine)
  }

  /// Where a contribution to the gradient goes, and whether it is the first. The first overwrites the memory; later
  /// ones are added. A gradient that another tensor shares is copied first. bfloat16 values go to one operation alone,
  /// so nothing is ever added to their gradient.
  func gradientSink(_ engine: Engine) -> (gradient: Tensor, isFirst: Bool) {
    if let mine = ownGradient(engine) {
      precondition(!mine.isBFloat16, "a bfloat16 tensor that is used twice")
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
    engine.rows(over: mine, other, cost: columns) { mine, other, range in
      for r in range { pmae_axpy(1, other.row(r), mine.row(r), mine.columns) }
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
