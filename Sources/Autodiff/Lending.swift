import Compute

// How code looks at the values of tensors. A tensor lends a matrix to a function, and holds the memory until the
// function returns. The matrix cannot get out (`Matrix` is not `Escapable`). What an operation records for its backward
// pass cannot hold a matrix, only tensors. Tasks get matrices: a task that looked at a tensor would count a reference
// that all threads write to.

extension Tensor {
  /// Lends its float32 values, computed again first where they were let go of.
  public func withMatrix<Result>(_ body: (Matrix) throws -> Result) rethrows -> Result {
    precondition(!isBFloat16, "float32 asked of bfloat16 values")
    let memory = values
    return try body(memory.matrix(rows: rows, columns: columns, stride: stride))
  }

  /// The same for bfloat16 values.
  func withBFloat16<Result>(_ body: (BFloat16Matrix) throws -> Result) rethrows -> Result {
    precondition(isBFloat16, "bfloat16 asked of float32 values")
    let memory = values
    return try body(memory.bfloat16Matrix(rows: rows, columns: columns, stride: stride))
  }

  /// The same for values of either type.
  func withOperand<Result>(_ body: (Operand) throws -> Result) rethrows -> Result {
    let memory = values
    return try body(memory.operand(isBFloat16: isBFloat16, rows: rows, columns: columns, stride: stride))
  }

  /// Lends the values of a tensor whose rows follow each other without gaps, such as a weight. The pointer must not be used after
  /// `body` returns.
  public func withValues<Result>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> Result) rethrows -> Result {
    precondition(!isBFloat16 && stride == columns, "values with gaps")
    return try values.withValues { try body(.init(rebasing: $0[..<count])) }
  }

  /// One value, checked: not for inner loops.
  public subscript(row: Int, column: Int) -> Float {
    get {
      precondition(!isBFloat16 && 0..<columns ~= column)
      return values[row * stride + column]
    }
    set {
      precondition(!isBFloat16 && 0..<columns ~= column)
      values[row * stride + column] = newValue
    }
  }

  /// A copy of a row.
  public func values(ofRow row: Int) -> [Float] {
    precondition(0..<rows ~= row)
    return withMatrix { Array(UnsafeBufferPointer(start: $0.row(row), count: columns)) }
  }
}

extension Tensor? {
  /// nil where there is no tensor.
  func withMatrix<Result>(_ body: (Matrix?) throws -> Result) rethrows -> Result {
    if let self { return try self.withMatrix { try body($0) } }
    return try body(nil)
  }

  /// nil where there is no tensor.
  func withOperand<Result>(_ body: (Operand?) throws -> Result) rethrows -> Result {
    if let self { return try self.withOperand { try body($0) } }
    return try body(nil)
  }
}

/// Lends the float32 values of several tensors.
public func withMatrices<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (Matrix, Matrix) throws -> Result
) rethrows -> Result {
  try a.withMatrix { a in try b.withMatrix { b in try body(a, b) } }
}

public func withMatrices<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (Matrix, Matrix, Matrix) throws -> Result
) rethrows -> Result {
  try withMatrices(a, b) { a, b in try c.withMatrix { c in try body(a, b, c) } }
}

public func withMatrices<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ body: (Matrix, Matrix, Matrix, Matrix) throws -> Result
) rethrows -> Result {
  try withMatrices(a, b, c) { a, b, c in try d.withMatrix { d in try body(a, b, c, d) } }
}

public func withMatrices<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ e: Tensor,
  _ body: (Matrix, Matrix, Matrix, Matrix, Matrix) throws -> Result
) rethrows -> Result {
  try withMatrices(a, b, c, d) { a, b, c, d in try e.withMatrix { e in try body(a, b, c, d, e) } }
}

/// Lends the bfloat16 values of several tensors.
func withBFloat16<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (BFloat16Matrix, BFloat16Matrix) throws -> Result
) rethrows -> Result {
  try a.withBFloat16 { a in try b.withBFloat16 { b in try body(a, b) } }
}

func withBFloat16<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor, _ body: (BFloat16Matrix, BFloat16Matrix, BFloat16Matrix) throws -> Result
) rethrows -> Result {
  try withBFloat16(a, b) { a, b in try c.withBFloat16 { c in try body(a, b, c) } }
}

/// An operation over rows of tensors, which are held while any task runs. Blocks of rows depend on the counts alone.
///
///     let engine = Engine(threads: 2)
///     let x = Tensor(rows: 3, columns: 4, values: engine.memory.take(12))
///     let y = Tensor(rows: 3, columns: 4, values: engine.memory.take(12))
///     engine.rows(over: x, y, cost: x.columns) { x, y, range in
///       for r in range { y.row(r).update(from: x.row(r), count: x.columns) }
///     }
extension Engine {
  /// - Parameters:
  ///   - count: how many rows there are to share out; those of the first tensor unless said otherwise.
  ///   - cost: values touched a row, to choose a block that is worth handing out.
  ///   - operation: what it counts as in a profile, if anything.
  ///   - values: for the profile, float32 values read and written; two of bfloat16 are one.
  public func rows(
    over a: Tensor, count: Int? = nil, cost: Int, as operation: Operation? = nil, values: Int = 0,
    _ body: (Matrix, Range<Int>) -> Void
  ) {
    a.withMatrix { a in
      blocks(count ?? a.rows, cost, operation, values) { body(a, $0) }
    }
  }

  public func rows(
    over a: Tensor, _ b: Tensor, count: Int? = nil, cost: Int, as operation: Operation? = nil, values: Int = 0,
    _ body: (Matrix, Matrix, Range<Int>) -> Void
  ) {
    withMatrices(a, b) { a, b in
      blocks(count ?? a.rows, cost, operation, values) { body(a, b, $0) }
    }
  }

  public func rows(
    over a: Tensor, _ b: Tensor, _ c: Tensor, count: Int? = nil, cost: Int, as operation: Operation? = nil,
    values: Int = 0, _ body: (Matrix, Matrix, Matrix, Range<Int>) -> Void
  ) {
    withMatrices(a, b, c) { a, b, c in
      blocks(count ?? a.rows, cost, operation, values) { body(a, b, c, $0) }
    }
  }

  public func rows(
    over a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, count: Int? = nil, cost: Int,
    as operation: Operation? = nil, values: Int = 0, _ body: (Matrix, Matrix, Matrix, Matrix, Range<Int>) -> Void
  ) {
    withMatrices(a, b, c, d) { a, b, c, d in
      blocks(count ?? a.rows, cost, operation, values) { body(a, b, c, d, $0) }
    }
  }

  public func rows(
    over a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ e: Tensor, count: Int? = nil, cost: Int,
    as operation: Operation? = nil, values: Int = 0,
    _ body: (Matrix, Matrix, Matrix, Matrix, Matrix, Range<Int>) -> Void
  ) {
    withMatrices(a, b, c, d, e) { a, b, c, d, e in
      blocks(count ?? a.rows, cost, operation, values) { body(a, b, c, d, e, $0) }
    }
  }

  private func blocks(
    _ count: Int, _ cost: Int, _ operation: Operation?, _ values: Int, _ body: (Range<Int>) -> Void
  ) {
    if let operation {
      rows(count, cost: cost, as: operation, values: values, body)
    } else {
      rows(count, cost: cost, body)
    }
  }
}
