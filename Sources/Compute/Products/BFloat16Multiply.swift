// Products of bfloat16 matrices, summed in float32, on the calling thread alone; any number of threads may call at
// once. The result depends on shapes, strides and values. It does not depend on the thread, on addresses or on earlier
// calls, and a row of c does not depend on the number of rows. Processors with bfloat16 instructions take denormals for
// zero. A thread's first call for a shape, set of strides and beta builds its kernel in 0.05 to 0.5 ms; later calls
// look it up.

/// c = op(a) op(b) + beta c, op as the transposition says. beta = 0 does not read c.
public func multiplyHere(
  _ a: BFloat16Matrix, _ b: BFloat16Matrix, into c: Matrix, transposing: Transposition = .none, beta: Float = 0
) {
  let product = Product(a, b, c.rows, c.columns, c.stride, transposing, beta: beta, isBFloat16: false)
  if c.rows == 0 || c.columns == 0 { return }
  if product.inner == 0 {
    for row in 0..<c.rows {
      let values = UnsafeMutableBufferPointer(start: c.pointer + row * c.stride, count: c.columns)
      for column in values.indices { values[column] = beta == 0 ? 0 : beta * values[column] }
    }
    return
  }
  BFloat16Backend.multiply(product, a.pointer, b.pointer, c.pointer)
}

/// c = op(a) op(b), rounded to bfloat16 once the sums are complete.
public func multiplyHere(
  _ a: BFloat16Matrix, _ b: BFloat16Matrix, into c: BFloat16Matrix, transposing: Transposition = .none
) {
  let product = Product(a, b, c.rows, c.columns, c.stride, transposing, beta: 0, isBFloat16: true)
  if c.rows == 0 || c.columns == 0 { return }
  if product.inner == 0 {
    for row in 0..<c.rows { (c.pointer + row * c.stride).update(repeating: 0, count: c.columns) }
    return
  }
  BFloat16Backend.multiply(product, a.pointer, b.pointer, c.pointer)
}

/// All of a product but where its matrices are: what its kernel is built for.
struct Product: Hashable {
  let rows: Int
  let columns: Int
  let inner: Int
  let transposing: Transposition
  let strideA: Int
  let strideB: Int
  let strideC: Int
  let beta: Float
  /// c is bfloat16.
  let isBFloat16: Bool

  init(
    _ a: BFloat16Matrix, _ b: BFloat16Matrix, _ rows: Int, _ columns: Int, _ stride: Int,
    _ transposing: Transposition, beta: Float, isBFloat16: Bool
  ) {
    inner = transposing == .left ? a.rows : a.columns
    precondition((transposing == .right ? b.columns : b.rows) == inner, "inner dimensions differ")
    precondition((transposing == .left ? a.columns : a.rows) == rows, "rows differ")
    precondition((transposing == .right ? b.rows : b.columns) == columns, "columns differ")
    precondition(a.stride >= a.columns && b.stride >= b.columns && stride >= columns, "rows overlap")
    self.rows = rows
    self.columns = columns
    self.transposing = transposing
    strideA = a.stride
    strideB = b.stride
    strideC = stride
    self.beta = beta
    self.isBFloat16 = isBFloat16
  }
}
