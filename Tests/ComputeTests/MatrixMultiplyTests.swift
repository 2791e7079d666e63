import Compute
import Synchronization
import Testing

/// GEMM against three loops in double precision.
struct MatrixMultiplyTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let rows: Int, columns: Int, inner: Int
    var testDescription: String { "\(rows) × \(columns) over \(inner)" }
  }

  static let shapes = [
    Shape(rows: 1, columns: 1, inner: 1), Shape(rows: 3, columns: 5, inner: 7), Shape(rows: 17, columns: 33, inner: 65),
    Shape(rows: 129, columns: 67, inner: 31), Shape(rows: 1, columns: 300, inner: 511),
    Shape(rows: 255, columns: 1, inner: 63),
    // Enough work for several tiles, with ragged last ones.
    Shape(rows: 333, columns: 190, inner: 257), Shape(rows: 70, columns: 1031, inner: 129),
  ]

  /// A matrix with `pad` values after each row that nobody may touch: they are NaN.
  struct Padded {
    let buffer: Buffer
    let rows: Int
    let columns: Int
    let stride: Int

    var matrix: Matrix {
      @_lifetime(borrow self)
      get { buffer.matrix(rows: rows, columns: columns, stride: stride) }
    }

    init(_ engine: Engine, _ rows: Int, _ columns: Int, pad: Int, seed: UInt64) {
      let stride = columns + pad
      (self.rows, self.columns, self.stride) = (rows, columns, stride)
      buffer = engine.memory.take(rows * stride)
      buffer.withValues { $0.update(repeating: .nan) }
      let values = numbers(rows * columns, seed: seed)
      for r in 0..<rows { for c in 0..<columns { buffer[r * stride + c] = values[r * columns + c] } }
    }

    subscript(_ r: Int, _ c: Int) -> Float { matrix.pointer[r * matrix.stride + c] }

    var paddingIsUntouched: Bool {
      (0..<matrix.rows).allSatisfy { r in
        (matrix.columns..<matrix.stride).allSatisfy { matrix.pointer[r * matrix.stride + $0].isNaN }
      }
    }
  }

  /// The three matrices of a product, as the transposition wants them stored.
  static func operands(
    _ engine: Engine, _ shape: Shape, _ transposition: Transposition, pads: (Int, Int, Int) = (0, 0, 0)
  ) -> (a: Padded, b: Padded, c: Padded) {
    let (m, n, k) = (shape.rows, shape.columns, shape.inner)
    let a = transposition == .left ? (k, m) : (m, k)
    let b = transposition == .right ? (n, k) : (k, n)
    return (
      Padded(engine, a.0, a.1, pad: pads.0, seed: 1), Padded(engine, b.0, b.1, pad: pads.1, seed: 2),
      Padded(engine, m, n, pad: pads.2, seed: 3)
    )
  }

  /// The largest error over what rounding of k products and sums may amount to.
  static func worst(
    _ c: Padded, _ a: Padded, _ b: Padded, _ shape: Shape, _ transposition: Transposition, alpha: Float, beta: Float,
    before: [Float]
  ) -> Double {
    var worst = 0.0
    for i in 0..<shape.rows {
      for j in 0..<shape.columns {
        let old = Double(beta) * (beta == 0 ? 0 : Double(before[i * shape.columns + j]))
        var (sum, size) = (old, abs(old))
        for k in 0..<shape.inner {
          let x = Double(transposition == .left ? a[k, i] : a[i, k])
          let y = Double(transposition == .right ? b[j, k] : b[k, j])
          sum += Double(alpha) * x * y
          size += abs(Double(alpha) * x * y)
        }
        let error = abs(Double(c[i, j]) - sum) / (size * 0x1p-24 * Double(shape.inner + 2))
        worst = max(worst, error.isNaN ? .infinity : error)
      }
    }
    return worst
  }

  @Test(arguments: shapes, [Transposition.none, .left, .right])
  func productsAgreeWithThreeLoops(_ shape: Shape, _ transposition: Transposition) {
    for engine in Self.engines(threads: 2) { check(engine, shape, transposition) }
  }

  /// One for each kind of kernel that this machine has.
  static func engines(threads: Int) -> [Engine] {
    ["avx512", "avx2", "openblas"].map { Engine(threads: threads, kernels: $0) }
  }

  private func check(_ engine: Engine, _ shape: Shape, _ transposition: Transposition) {
    for isAdding in [false, true] {
      let beta: Float = isAdding ? 1 : 0
      for pads in [(0, 0, 0), (3, 1, 5)] {
        let (a, b, c) = Self.operands(engine, shape, transposition, pads: pads)
        let before = (0..<shape.rows).flatMap { i in (0..<shape.columns).map { c[i, $0] } }
        if !isAdding {
          // What was there is not read: a NaN would survive a multiplication by zero.
          for i in 0..<shape.rows { for j in 0..<shape.columns { c.matrix.pointer[i * c.matrix.stride + j] = .nan } }
        }
        engine.multiply(a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: isAdding)
        #expect(
          Self.worst(c, a, b, shape, transposition, alpha: 1, beta: beta, before: before) <= 1,
          "\(engine.kernels), adding \(isAdding), pads \(pads)")
        #expect(c.paddingIsUntouched, "\(engine.kernels), adding \(isAdding), pads \(pads)")
      }
    }
  }

  @Test(arguments: [Transposition.none, .left, .right])
  func onTheCallingThread(_ transposition: Transposition) {
    for engine in Self.engines(threads: 1) {
      let shape = Shape(rows: 13, columns: 9, inner: 21)
      let (a, b, c) = Self.operands(engine, shape, transposition, pads: (2, 0, 4))
      let before = (0..<shape.rows).flatMap { i in (0..<shape.columns).map { c[i, $0] } }
      let scratch = engine.memory.take(max(1, engine.scratch(inner: shape.inner, columns: shape.columns)))
      engine.multiplyHere(
        a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: true,
        scratch: scratch.matrix(rows: 1, columns: 1).pointer)
      #expect(Self.worst(c, a, b, shape, transposition, alpha: 1, beta: 1, before: before) <= 1)
    }
  }

  @Test func aNaNInAnInputComesOut() {
    for engine in Self.engines(threads: 2) {
      let shape = Shape(rows: 5, columns: 6, inner: 4)
      let (a, b, c) = Self.operands(engine, shape, .none)
      a.matrix.pointer[2 * 4 + 1] = .nan
      b.matrix.pointer[3 * 6 + 4] = .infinity
      engine.multiply(a.matrix, b.matrix, into: c.matrix)
      for i in 0..<5 {
        for j in 0..<6 { #expect(c[i, j].isNaN == (i == 2) && (i == 2 || c[i, j].isInfinite == (j == 4))) }
      }
    }
  }

  @Test func emptyMatricesAreAllowed() {
    for engine in Self.engines(threads: 2) {
      let values = engine.memory.take(64)
      values.withValues { $0.update(repeating: 7) }
      engine.multiply(
        values.matrix(rows: 0, columns: 4), values.matrix(rows: 4, columns: 3), into: values.matrix(rows: 0, columns: 3)
      )
      engine.multiply(
        values.matrix(rows: 3, columns: 4), values.matrix(rows: 4, columns: 0), into: values.matrix(rows: 3, columns: 0)
      )
      #expect(values.array.allSatisfy { $0 == 7 })
      // A sum over nothing is zero: the gradient of a weight that no row used.
      engine.multiply(
        values.matrix(rows: 0, columns: 4), values.matrix(rows: 0, columns: 3),
        into: values.matrix(rows: 4, columns: 3), transposing: .left)
      #expect(values.array.prefix(12).allSatisfy { $0 == 0 } && values.array.dropFirst(12).allSatisfy { $0 == 7 })
    }
  }

  @Test(arguments: [Transposition.none, .left, .right])
  func bitsDoNotDependOnTheThreads(_ transposition: Transposition) {
    let shape = Shape(rows: 533, columns: 347, inner: 690)
    for kernels in ["avx512", "avx2", "openblas"] {
      var results: [[UInt32]] = []
      for threads in [1, 2, 3, 7] {
        let engine = Engine(threads: threads, kernels: kernels)
        let (a, b, c) = Self.operands(engine, shape, transposition)
        engine.multiply(a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: true)
        results.append(bits(c.buffer.array.prefix(shape.rows * shape.columns)))
      }
      #expect(results.allSatisfy { $0 == results[0] })
    }
  }

  @Test(arguments: ["avx512", "avx2", "openblas"]) func eachTileIsGivenOnce(_ kernels: String) {
    let engine = Engine(threads: 3, kernels: kernels)
    let shape = Shape(rows: 533, columns: 347, inner: 190)
    let (a, b, c) = Self.operands(engine, shape, .right)
    let plain = Self.operands(engine, shape, .right).c
    engine.multiply(a.matrix, b.matrix, into: plain.matrix, transposing: .right)
    let tiles = Mutex(0)
    let to = c.matrix
    engine.multiply(.float32(a.matrix), .float32(b.matrix), transposing: .right, precision: .float32) { tile in
      tiles.withLock { $0 += 1 }
      for i in tile.rows {
        for j in tile.columns {
          to.row(i)[j] = tile.values.row(i - tile.rows.lowerBound)[j - tile.columns.lowerBound] + 1
        }
      }
    }
    #expect(tiles.withLock { $0 } > 1, "this shape should be worth several tiles")
    #expect(zip(c.buffer.array, plain.buffer.array).allSatisfy { $0 == $1 + 1 })
  }
}
