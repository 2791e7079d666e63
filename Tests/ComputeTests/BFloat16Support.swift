import CKernels
import Compute

/// A bfloat16 matrix of normal numbers with `pad` values after each row that nobody may touch: they are NaN.
struct PaddedBFloat16 {
  let memory: Buffer
  let rows: Int
  let columns: Int
  let stride: Int

  var matrix: BFloat16Matrix {
    @_lifetime(borrow self)
    get { memory.bfloat16Matrix(rows: rows, columns: columns, stride: stride) }
  }

  init(_ engine: Engine, _ rows: Int, _ columns: Int, pad: Int, seed: UInt64) {
    let stride = columns + pad
    (self.rows, self.columns, self.stride) = (rows, columns, stride)
    memory = engine.memory.take((rows * stride + 1) / 2)
    let values = numbers(rows * columns, seed: seed)
    let all = memory.bfloat16Matrix(rows: 1, columns: rows * stride)
    all.pointer.update(repeating: Self.nan, count: rows * stride)
    for r in 0..<rows {
      for c in 0..<columns { pmae_to_bfloat16([values[r * columns + c]], all.pointer + r * stride + c, 1) }
    }
  }

  static let nan: UInt16 = 0x7FC1

  subscript(_ r: Int, _ c: Int) -> Float {
    get { Float(bitPattern: UInt32(matrix.pointer[r * matrix.stride + c]) << 16) }
    nonmutating set { pmae_to_bfloat16([newValue], matrix.pointer + r * matrix.stride + c, 1) }
  }

  var bits: [UInt16] {
    (0..<matrix.rows).flatMap { r in (0..<matrix.columns).map { matrix.pointer[r * matrix.stride + $0] } }
  }

  var paddingIsUntouched: Bool {
    (0..<matrix.rows).allSatisfy { r in
      (matrix.columns..<matrix.stride).allSatisfy { matrix.pointer[r * matrix.stride + $0] == Self.nan }
    }
  }
}

/// A product of bfloat16 matrices to check, its operands stored as the transposition wants them.
struct BFloat16Product {
  let shape: MatrixMultiplyTests.Shape
  let transposition: Transposition
  let a: PaddedBFloat16
  let b: PaddedBFloat16

  init(
    _ engine: Engine, _ shape: MatrixMultiplyTests.Shape, _ transposition: Transposition, pads: (Int, Int) = (0, 0)
  ) {
    let (m, n, k) = (shape.rows, shape.columns, shape.inner)
    let (left, right) = (transposition == .left ? (k, m) : (m, k), transposition == .right ? (n, k) : (k, n))
    self.shape = shape
    self.transposition = transposition
    a = PaddedBFloat16(engine, left.0, left.1, pad: pads.0, seed: 1)
    b = PaddedBFloat16(engine, right.0, right.1, pad: pads.1, seed: 2)
  }

  /// The largest error of c over what rounding of k products and sums in float32 may amount to (twice that for the sum of
  /// what was there), and `ownError` times the value.
  func worst(beta: Float = 0, before: (Int, Int) -> Float = { _, _ in 0 }, ownError: Double = 0, c: (Int, Int) -> Float)
    -> Double
  {
    let (x, y) = (operand(a, transposition == .left), operand(b, transposition != .right))
    var worst = 0.0
    for i in 0..<shape.rows {
      for j in 0..<shape.columns {
        let old = beta == 0 ? 0 : Double(beta) * Double(before(i, j))
        var (sum, size) = (old, abs(old))
        for k in 0..<shape.inner {
          let product = x[i * shape.inner + k] * y[j * shape.inner + k]
          sum += product
          size += abs(product)
        }
        let allowed = size * 0x1p-24 * Double(shape.inner + 4) + abs(sum) * ownError
        let error = abs(Double(c(i, j)) - sum) / max(allowed, .leastNormalMagnitude)
        worst = max(worst, error.isNaN ? .infinity : error)
      }
    }
    return worst
  }

  /// Values with the inner dimension contiguous.
  private func operand(_ matrix: PaddedBFloat16, _ isInnerFirst: Bool) -> [Double] {
    let outer = isInnerFirst ? matrix.matrix.columns : matrix.matrix.rows
    return (0..<outer).flatMap { o in
      (0..<shape.inner).map { k in Double(isInnerFirst ? matrix[k, o] : matrix[o, k]) }
    }
  }
}
