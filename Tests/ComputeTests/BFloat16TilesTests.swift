import CKernels
import Compute
import Testing

/// Products of float32 matrices in bfloat16: the exact product of the rounded factors, summed in float32.
@Suite(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
struct BFloat16TilesTests {
  typealias Padded = MatrixMultiplyTests.Padded

  private func round(_ x: Padded) {
    for r in 0..<x.matrix.rows {
      for c in 0..<x.matrix.columns {
        let place = x.matrix.pointer + r * x.matrix.stride + c
        var rounded: UInt16 = 0
        pmae_to_bfloat16(place, &rounded, 1)
        place.pointee = Float(bitPattern: UInt32(rounded) << 16)
      }
    }
  }

  @Test(arguments: MatrixMultiplyTests.shapes, [Transposition.none, .left, .right])
  func factorsAreRoundedAndNothingElseIs(_ shape: MatrixMultiplyTests.Shape, _ transposition: Transposition) {
    // Our own kernels where there are any, and oneDNN.
    for (isAdding, kernels) in [(false, "avx512"), (true, "avx512"), (false, "avx2"), (true, "avx2")] {
      let engine = Engine(threads: 2, kernels: kernels)
      for pads in [(0, 0, 0), (3, 1, 5)] {
        let (a, b, c) = MatrixMultiplyTests.operands(engine, shape, transposition, pads: pads)
        let before = (0..<shape.rows).flatMap { i in (0..<shape.columns).map { c[i, $0] } }
        if !isAdding {
          for i in 0..<shape.rows { for j in 0..<shape.columns { c.matrix.pointer[i * c.matrix.stride + j] = .nan } }
        }
        engine.multiply(
          a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: isAdding, precision: .bfloat16)
        round(a)
        round(b)
        let worst = MatrixMultiplyTests.worst(
          c, a, b, shape, transposition, alpha: 1, beta: isAdding ? 1 : 0, before: before)
        #expect(worst <= 1, "adding \(isAdding), pads \(pads)")
        #expect(c.paddingIsUntouched, "adding \(isAdding), pads \(pads)")
      }
    }
  }

  @Test(arguments: MatrixMultiplyTests.shapes, [Transposition.none, .left, .right])
  func bfloat16FactorsAreReadWhereTheyLie(_ shape: MatrixMultiplyTests.Shape, _ transposition: Transposition) {
    for kernels in ["avx512", "avx2"] {
      let engine = Engine(threads: 2, kernels: kernels)
      // Rows that start at odd places, where no pair can be read, too.
      for pads in [(0, 0), (2, 4), (3, 1)] {
        let product = BFloat16Product(engine, shape, transposition, pads: pads)
        let c = Padded(engine, shape.rows, shape.columns, pad: 5, seed: 3)
        engine.multiply(
          .bfloat16(product.a.matrix), .bfloat16(product.b.matrix), into: c.matrix, transposing: transposition,
          precision: .bfloat16)
        #expect(product.worst(c: { c[$0, $1] }) <= 1, "\(kernels), pads \(pads)")
        #expect(c.paddingIsUntouched && product.a.paddingIsUntouched && product.b.paddingIsUntouched)
      }
    }
  }

  /// More rows than are made pairs at a time.
  @Test func longSums() {
    let engine = Engine(threads: 2)
    let shape = MatrixMultiplyTests.Shape(rows: 20, columns: 40, inner: 4503)
    let product = BFloat16Product(engine, shape, .left)
    let c = Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
    let before = c.buffer.array.map { $0 }
    engine.multiply(
      .bfloat16(product.a.matrix), .bfloat16(product.b.matrix), into: c.matrix, transposing: .left, adding: true,
      precision: .bfloat16)
    #expect(product.worst(beta: 1, before: { before[$0 * shape.columns + $1] }, c: { c[$0, $1] }) <= 1)
  }

  @Test(arguments: [Transposition.none, .left, .right])
  func bitsDoNotDependOnTheThreads(_ transposition: Transposition) {
    let shape = MatrixMultiplyTests.Shape(rows: 533, columns: 347, inner: 690)
    let results = [1, 2, 3, 7].map { threads in
      let engine = Engine(threads: threads)
      let (a, b, c) = MatrixMultiplyTests.operands(engine, shape, transposition)
      engine.multiply(
        a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: true, precision: .bfloat16)
      return bits(c.buffer.array.prefix(shape.rows * shape.columns))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func emptyMatricesAreAllowed() {
    let engine = Engine(threads: 2)
    let values = engine.memory.take(64)
    values.withValues { $0.update(repeating: 7) }
    engine.multiply(
      values.matrix(rows: 0, columns: 4), values.matrix(rows: 4, columns: 3), into: values.matrix(rows: 0, columns: 3),
      precision: .bfloat16)
    engine.multiply(
      values.matrix(rows: 3, columns: 4), values.matrix(rows: 4, columns: 0), into: values.matrix(rows: 3, columns: 0),
      precision: .bfloat16)
    #expect(values.array.allSatisfy { $0 == 7 })
    engine.multiply(
      values.matrix(rows: 0, columns: 4), values.matrix(rows: 0, columns: 3), into: values.matrix(rows: 4, columns: 3),
      transposing: .left, precision: .bfloat16)
    #expect(values.array.prefix(12).allSatisfy { $0 == 0 } && values.array.dropFirst(12).allSatisfy { $0 == 7 })
  }
}
