/// A matrix in memory: `rows` × `columns` values, a row every `stride` of them.
public struct Matrix {
  public var pointer: UnsafeMutablePointer<Float>
  public var rows: Int
  public var columns: Int
  public var stride: Int

  public init(_ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  @inline(__always)
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }

  /// Some of its rows.
  func rows(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// Some of its columns.
  func columns(_ range: Range<Int>) -> Matrix {
    Matrix(pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}

/// Which factor of a product is transposed.
public enum Transposition: Sendable { case none, left, right }
