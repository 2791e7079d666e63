import CKernels
import Compute
import Testing

/// Products of float32 matrices in bfloat16: the exact product of the rounded factors, summed in float32.
@Suite(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
struct NarrowMultiplyTests {
  typealias Padded = MatrixMultiplyTests.Padded

  private func round(_ x: Padded) {
    for r in 0..<x.matrix.rows {
      for c in 0..<x.matrix.columns {
        let place = x.matrix.pointer + r * x.matrix.stride + c
        var narrow: UInt16 = 0
        pmae_to_bfloat16(place, &narrow, 1)
        place.pointee = Float(bitPattern: UInt32(narrow) << 16)
      }
    }
  }

  @Test(arguments: MatrixMultiplyTests.shapes, [Transposition.none, .left, .right])
  func factorsAreRoundedAndNothingElseIs(_ shape: MatrixMultiplyTests.Shape, _ transposition: Transposition) {
    let engine = Engine(threads: 2)
    for isAdding in [false, true] {
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

  @Test(arguments: [Transposition.none, .left, .right])
  func bitsDoNotDependOnTheThreads(_ transposition: Transposition) {
    let shape = MatrixMultiplyTests.Shape(rows: 533, columns: 347, inner: 690)
    let results = [1, 2, 3, 7].map { threads in
      let engine = Engine(threads: threads)
      let (a, b, c) = MatrixMultiplyTests.operands(engine, shape, transposition)
      engine.multiply(
        a.matrix, b.matrix, into: c.matrix, transposing: transposition, adding: true, precision: .bfloat16)
      return bits(c.buffer.values.prefix(shape.rows * shape.columns))
    }
    #expect(results.allSatisfy { $0 == results[0] })
  }

  @Test func emptyMatricesAreAllowed() {
    let engine = Engine(threads: 2)
    let values = engine.memory.take(64)
    values.values.update(repeating: 7)
    func matrix(_ rows: Int, _ columns: Int) -> Matrix { Matrix(values.pointer, rows: rows, columns: columns) }
    engine.multiply(matrix(0, 4), matrix(4, 3), into: matrix(0, 3), precision: .bfloat16)
    engine.multiply(matrix(3, 4), matrix(4, 0), into: matrix(3, 0), precision: .bfloat16)
    #expect(values.values.allSatisfy { $0 == 7 })
    engine.multiply(matrix(0, 4), matrix(0, 3), into: matrix(4, 3), transposing: .left, precision: .bfloat16)
    #expect(values.values.prefix(12).allSatisfy { $0 == 0 } && values.values.dropFirst(12).allSatisfy { $0 == 7 })
  }
}
