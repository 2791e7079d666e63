import Compute
import Foundation
import Testing

/// bfloat16 GEMM against three loops in double precision on the same bfloat16 values.
@Suite(.enabled(if: BFloat16.unavailable == nil))
struct BFloat16MultiplyTests {
  typealias Shape = MatrixMultiplyTests.Shape

  static let shapes =
    MatrixMultiplyTests.shapes + [
      // A head's scores and values, a tile of a layer, one of a weight's gradient.
      Shape(rows: 50, columns: 50, inner: 64), Shape(rows: 197, columns: 32, inner: 197),
      Shape(rows: 128, columns: 384, inner: 192), Shape(rows: 48, columns: 96, inner: 1601),
    ]

  @Test(arguments: shapes, [Transposition.none, .left, .right])
  func productsAgreeWithThreeLoops(_ shape: Shape, _ transposition: Transposition) {
    let engine = Engine(threads: 1)
    for pads in [(0, 0, 0), (3, 1, 5), (64, 0, 0), (0, 32, 0), (0, 0, 32)] {
      let product = BFloat16Product(engine, shape, transposition, pads: (pads.0, pads.1))
      for beta: Float in pads == (0, 0, 0) || pads == (3, 1, 5) ? [0, 1, -0.5] : [1] {
        let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: pads.2, seed: 3)
        let before = numbers(shape.rows * shape.columns, seed: 3)
        if beta == 0 {
          // What was there is not read: a NaN would survive a multiplication by zero.
          for i in 0..<shape.rows { for j in 0..<shape.columns { c.matrix.pointer[i * c.matrix.stride + j] = .nan } }
        }
        multiplyHere(product.a.matrix, product.b.matrix, into: c.matrix, transposing: transposition, beta: beta)
        let worst = product.worst(beta: beta, before: { before[$0 * shape.columns + $1] }, c: { c[$0, $1] })
        #expect(worst <= 1, "beta \(beta), pads \(pads)")
        #expect(c.paddingIsUntouched, "beta \(beta), pads \(pads)")
      }
      let rounded = PaddedBFloat16(engine, shape.rows, shape.columns, pad: pads.2, seed: 3)
      multiplyHere(product.a.matrix, product.b.matrix, into: rounded.matrix, transposing: transposition)
      #expect(product.worst(ownError: 0x1.01p-8, c: { rounded[$0, $1] }) <= 1, "to bfloat16, pads \(pads)")
      #expect(rounded.paddingIsUntouched, "to bfloat16, pads \(pads)")
    }
  }

  /// One thread's calls for many shapes, more than it keeps, each twice.
  @Test func moreShapesThanAThreadKeeps() {
    let engine = Engine(threads: 1)
    let (a, b) = (
      PaddedBFloat16(engine, 65, 3, pad: 1, seed: 1), PaddedBFloat16(engine, 3, 65, pad: 1, seed: 2)
    )
    let c = MatrixMultiplyTests.Padded(engine, 65, 65, pad: 0, seed: 3)
    for _ in 0..<2 {
      for (m, n) in (1...65).flatMap({ m in (1...65).map { (m, $0) } }) {
        c.matrix.pointer[(m - 1) * 65 + n - 1] = .nan
        let x = a.memory.bfloat16Matrix(rows: m, columns: 3, stride: 4)
        let y = b.memory.bfloat16Matrix(rows: 3, columns: n, stride: 66)
        multiplyHere(x, y, into: c.buffer.matrix(rows: m, columns: n, stride: 65))
        let last = (0..<3).reduce(0.0) { $0 + Double(a[m - 1, $1]) * Double(b[$1, n - 1]) }
        if !(abs(Double(c[m - 1, n - 1]) - last) < 1e-5) { Issue.record("\(m) × \(n)") }
      }
    }
  }

  @Test func specialValuesComeOut() {
    let engine = Engine(threads: 1)
    for transposition in [Transposition.none, .left, .right] {
      let product = BFloat16Product(engine, Shape(rows: 5, columns: 6, inner: 4), transposition)
      let isLeft = transposition == .left
      let isRight = transposition == .right
      product.a[isLeft ? 1 : 2, isLeft ? 2 : 1] = .nan
      product.b[isRight ? 4 : 3, isRight ? 3 : 4] = .infinity
      let c = MatrixMultiplyTests.Padded(engine, 5, 6, pad: 0, seed: 3)
      multiplyHere(product.a.matrix, product.b.matrix, into: c.matrix, transposing: transposition)
      let rounded = PaddedBFloat16(engine, 5, 6, pad: 0, seed: 3)
      multiplyHere(product.a.matrix, product.b.matrix, into: rounded.matrix, transposing: transposition)
      for (i, j) in (0..<5).flatMap({ i in (0..<6).map { (i, $0) } }) {
        #expect(c[i, j].isNaN == (i == 2) && rounded[i, j].isNaN == (i == 2), "\(i), \(j)")
        #expect(i == 2 || (c[i, j].isInfinite == (j == 4) && rounded[i, j].isInfinite == (j == 4)), "\(i), \(j)")
      }
    }
  }

  @Test func sumsBeyondTheRangeAreInfinite() {
    let engine = Engine(threads: 1)
    let product = BFloat16Product(engine, Shape(rows: 1, columns: 1, inner: 2), .none)
    for k in 0..<2 { (product.a[0, k], product.b[k, 0]) = (0x1p100, -0x1p100) }
    let c = MatrixMultiplyTests.Padded(engine, 1, 1, pad: 0, seed: 3)
    multiplyHere(product.a.matrix, product.b.matrix, into: c.matrix)
    #expect(c[0, 0] == -.infinity)
  }

  @Test func emptyMatricesAreAllowed() {
    let engine = Engine(threads: 1)
    let values = engine.memory.take(64)
    values.withValues { $0.update(repeating: 7) }
    let a = PaddedBFloat16(engine, 4, 4, pad: 0, seed: 1).memory
    multiplyHere(
      a.bfloat16Matrix(rows: 0, columns: 4), a.bfloat16Matrix(rows: 4, columns: 3),
      into: values.matrix(rows: 0, columns: 3, stride: 5))
    multiplyHere(
      a.bfloat16Matrix(rows: 3, columns: 4), a.bfloat16Matrix(rows: 4, columns: 0),
      into: values.matrix(rows: 3, columns: 0, stride: 5))
    #expect(values.array.allSatisfy { $0 == 7 })
    // A sum over nothing is zero: the gradient of a weight that no row used.
    multiplyHere(
      a.bfloat16Matrix(rows: 0, columns: 2), a.bfloat16Matrix(rows: 0, columns: 3),
      into: values.matrix(rows: 2, columns: 3, stride: 5), transposing: .left, beta: 1)
    #expect(values.array.allSatisfy { $0 == 7 })
    multiplyHere(
      a.bfloat16Matrix(rows: 0, columns: 2), a.bfloat16Matrix(rows: 0, columns: 3),
      into: values.matrix(rows: 2, columns: 3, stride: 5), transposing: .left)
    #expect(Array(values.array.prefix(9)) == [0, 0, 0, 7, 7, 0, 0, 0, 7])
  }

  @Test(arguments: [Transposition.none, .left, .right])
  func bitsDoNotDependOnTheThreads(_ transposition: Transposition) {
    let shape = Shape(rows: 533, columns: 190, inner: 347)
    let height = 48
    var results: [[UInt32]] = []
    for threads in [1, 2, 3, 7] {
      let engine = Engine(threads: threads)
      let product = BFloat16Product(engine, shape, transposition)
      let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
      for _ in 0..<3 {
        engine.threads.run((shape.rows + height - 1) / height) { tile in
          let first = tile * height
          let rows = min(height, shape.rows - first)
          let (a, range) = (product.a, first..<first + rows)
          multiplyHere(
            transposition == .left ? a.matrix.columns(range) : a.matrix.rows(range), product.b.matrix,
            into: c.matrix.rows(range), transposing: transposition, beta: 1)
        }
      }
      results.append(bits(c.buffer.array.prefix(shape.rows * shape.columns)))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }
}
