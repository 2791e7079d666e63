/// A matrix in memory: `rows` × `columns` values, a row every `stride` of them.
///
/// It holds no memory, so that tasks which look at it count no references, and it is `~Escapable`: the compiler rejects one that is
/// returned, stored or captured by a closure that outlives the memory it was made from.
public struct Matrix: ~Escapable {
  public var pointer: UnsafeMutablePointer<Float>
  public var rows: Int
  public var columns: Int
  public var stride: Int

  /// Memory of the caller's, for as long as the variable that points to it.
  @_lifetime(borrow pointer)
  public init(_ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// For kernels in C, which take pointers. Not for longer than the matrix.
  @inline(__always)
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }

  /// Some of its rows.
  @_lifetime(copy self)
  public func rows(_ range: Range<Int>) -> Matrix {
    part(from: row(range.lowerBound), rows: range.count, columns: columns)
  }

  /// Some of its columns.
  @_lifetime(copy self)
  public func columns(_ range: Range<Int>) -> Matrix {
    part(from: pointer + range.lowerBound, rows: rows, columns: range.count)
  }

  /// Rows and columns from one of its values on.
  @_lifetime(copy self)
  public func part(from start: UnsafeMutablePointer<Float>, rows: Int, columns: Int) -> Matrix {
    _overrideLifetime(Matrix(start, rows: rows, columns: columns, stride: stride), copying: self)
  }
}

/// Which factor of a product is transposed.
public enum Transposition: Sendable { case none, left, right }
