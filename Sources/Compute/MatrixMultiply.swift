import COpenBLAS

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
}

public enum Transposition: Sendable { case none, left, right }

/// c = alpha op(a) op(b) + beta c on the calling thread, op as the transposition says. beta = 0 does not read c.
public func multiplyHere(
  _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none, alpha: Float = 1, beta: Float = 0
) {
  let inner = transposing == .left ? a.rows : a.columns
  if c.rows == 0 || c.columns == 0 { return }
  cblas_sgemm(
    CblasRowMajor, transposing == .left ? CblasTrans : CblasNoTrans, transposing == .right ? CblasTrans : CblasNoTrans,
    blasint(c.rows), blasint(c.columns), blasint(inner), alpha, a.pointer, blasint(a.stride), b.pointer,
    blasint(b.stride), beta, c.pointer, blasint(c.stride))
}

extension Engine {
  /// c = op(a) op(b) + beta c over tiles of c on all threads. The tiles follow from the shapes alone and the inner
  /// dimension is never split, so the bits do not depend on the threads.
  /// - Parameter finish: called for each tile when it is computed, while it is still in cache: rows, columns of c.
  public func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none, beta: Float = 0,
    finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)? = nil
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    precondition((transposing == .right ? b.columns : b.rows) == inner, "inner dimensions differ")
    precondition((transposing == .left ? a.columns : a.rows) == c.rows, "rows differ")
    precondition((transposing == .right ? b.rows : b.columns) == c.columns, "columns differ")
    if c.rows == 0 || c.columns == 0 { return }
    let (height, width) = Self.tile(rows: c.rows, columns: c.columns, inner: inner)
    let down = (c.rows + height - 1) / height
    let across = (c.columns + width - 1) / width
    threads.run(down * across) { index in
      let i = index / across * height
      let j = index % across * width
      let rows = i..<min(c.rows, i + height)
      let columns = j..<min(c.columns, j + width)
      var x = a
      var y = b
      if transposing == .left {
        x.pointer += rows.lowerBound
        x.columns = rows.count
      } else {
        x.pointer += rows.lowerBound * a.stride
        x.rows = rows.count
      }
      if transposing == .right {
        y.pointer += columns.lowerBound * b.stride
        y.rows = columns.count
      } else {
        y.pointer += columns.lowerBound
        y.columns = columns.count
      }
      let part = Matrix(
        c.pointer + rows.lowerBound * c.stride + columns.lowerBound, rows: rows.count, columns: columns.count,
        stride: c.stride)
      multiplyHere(x, y, into: part, transposing: transposing, beta: beta)
      finish?(rows, columns)
    }
  }

  /// The size of a tile: c is halved along its longer side until there are enough tiles to share out evenly, or one would
  /// be too small to be worth its packing.
  static func tile(rows: Int, columns: Int, inner: Int) -> (height: Int, width: Int) {
    var height = rows
    var width = columns
    var tiles = 1
    while tiles < 16 && 2 * height * width * inner > 8_000_000 {
      if height >= width {
        if height <= 64 { break }
        height = ((height + 1) / 2 + 15) / 16 * 16
      } else {
        if width <= 64 { break }
        width = ((width + 1) / 2 + 15) / 16 * 16
      }
      tiles *= 2
    }
    return (height, width)
  }
}
