/// A bfloat16 matrix in memory: the bits of `rows` × `columns` values, a row every `stride` of them. It is bound to its
/// memory as a `Matrix` is.
public struct BFloat16Matrix: ~Escapable {
  public var pointer: UnsafeMutablePointer<UInt16>
  public var rows: Int
  public var columns: Int
  public var stride: Int

  /// Memory of the caller's, for as long as the variable that points to it.
  @_lifetime(borrow pointer)
  public init(_ pointer: UnsafeMutablePointer<UInt16>, rows: Int, columns: Int, stride: Int? = nil) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// For kernels in C, which take pointers. Not for longer than the matrix.
  @inline(__always)
  public func row(_ index: Int) -> UnsafeMutablePointer<UInt16> { pointer + index * stride }

  /// Some of its rows.
  @_lifetime(copy self)
  public func rows(_ range: Range<Int>) -> BFloat16Matrix {
    part(from: row(range.lowerBound), rows: range.count, columns: columns)
  }

  /// Some of its columns.
  @_lifetime(copy self)
  public func columns(_ range: Range<Int>) -> BFloat16Matrix {
    part(from: pointer + range.lowerBound, rows: rows, columns: range.count)
  }

  /// Rows and columns from one of its values on.
  @_lifetime(copy self)
  public func part(from start: UnsafeMutablePointer<UInt16>, rows: Int, columns: Int) -> BFloat16Matrix {
    _overrideLifetime(BFloat16Matrix(start, rows: rows, columns: columns, stride: stride), copying: self)
  }
}

extension UnsafeMutablePointer<Float> {
  /// The same memory for bfloat16 values.
  public var asBFloat16: UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: UInt16.self)
  }
}
