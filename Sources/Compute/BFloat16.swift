/// What this build and this machine can do in bfloat16. Where `unavailable` says something, no product of bfloat16
/// matrices may be asked for: whoever offers the choice checks it with the other options.
public enum BFloat16 {
  /// Why there is no bfloat16 matrix multiplication here, for an error message; nil where there is.
  public static let unavailable: String? = BFloat16Backend.unavailable

  /// The processor has no bfloat16 instructions and oneDNN puts float32's in their place: right, but several times
  /// slower than float32 itself.
  public static let isEmulated: Bool = unavailable == nil && BFloat16Backend.isEmulated
}

/// A bfloat16 matrix in memory: the bits of `rows` × `columns` values, a row every `stride` of them.
public struct BFloat16Matrix {
  public var pointer: UnsafeMutablePointer<UInt16>
  public var rows: Int
  public var columns: Int
  public var stride: Int

  public init(_ pointer: UnsafeMutablePointer<UInt16>, rows: Int, columns: Int, stride: Int? = nil) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }
}

/// A matrix on the right of many products, weights above all, in the layout that the kernels read fastest. The layout
/// follows from the shape alone, so one packed matrix serves blocks of any number of rows.
public final class PackedMatrix: @unchecked Sendable {
  /// The product's inner dimension.
  public let inner: Int
  public let columns: Int
  let layout: BFloat16Backend.PackedLayout
  let memory: Buffer

  /// Memory for inner × columns values, both at least 1; `pack` fills it.
  public init(inner: Int, columns: Int, memory: MemoryPool) {
    precondition(inner >= 1 && columns >= 1, "nothing to pack")
    self.inner = inner
    self.columns = columns
    layout = BFloat16Backend.PackedLayout(inner: inner, columns: columns)
    self.memory = memory.take((layout.bytes + 3) / 4)
  }

  /// Rounds a float32 matrix to bfloat16 and packs it, on the calling thread. No product may read it meanwhile.
  /// - Parameters:
  ///   - source: inner × columns, or columns × inner where it is `transposed`, as a layer's weights are for its forward.
  public func pack(_ source: Matrix, transposed: Bool) {
    precondition((source.rows, source.columns) == (transposed ? (columns, inner) : (inner, columns)), "shapes differ")
    BFloat16Backend.pack(source.pointer, stride: source.stride, isNarrow: false, transposed: transposed, into: self)
  }

  /// The same for a matrix that is bfloat16 already.
  public func pack(_ source: BFloat16Matrix, transposed: Bool) {
    precondition((source.rows, source.columns) == (transposed ? (columns, inner) : (inner, columns)), "shapes differ")
    BFloat16Backend.pack(source.pointer, stride: source.stride, isNarrow: true, transposed: transposed, into: self)
  }
}
