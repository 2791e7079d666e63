import CKernels
import Compute
import Testing

/// Products with packed weights.
@Suite(.enabled(if: BFloat16.unavailable == nil))
struct PackedMatrixTests {
  typealias Shape = MatrixMultiplyTests.Shape

  static let shapes = [
    Shape(rows: 1, columns: 1, inner: 1), Shape(rows: 3, columns: 5, inner: 7), Shape(rows: 17, columns: 33, inner: 65),
    Shape(rows: 100, columns: 65, inner: 100), Shape(rows: 128, columns: 384, inner: 192),
    Shape(rows: 7, columns: 10, inner: 1030),
  ]

  /// Memory that an earlier owner left full of NaN, as a pool may hand it out.
  static func packed(_ engine: Engine, _ shape: Shape) -> PackedMatrix {
    func make() -> PackedMatrix { PackedMatrix(inner: shape.inner, columns: shape.columns, memory: engine.memory) }
    let all = PaddedBFloat16(engine, shape.inner, shape.columns, pad: 0, seed: 9)
    all.matrix.pointer.update(repeating: PaddedBFloat16.nan, count: shape.inner * shape.columns)
    make().pack(all.matrix, transposed: false)
    return make()
  }

  @Test(arguments: shapes, [false, true])
  func productsAgreeWithThreeLoops(_ shape: Shape, _ transposed: Bool) {
    let engine = Engine(threads: 1)
    let product = BFloat16Product(engine, shape, transposed ? .right : .none, pads: (0, 3))
    let b = Self.packed(engine, shape)
    b.pack(product.b.matrix, transposed: transposed)
    let before = numbers(shape.rows * shape.columns, seed: 3)
    var sums: [UInt32] = []
    for beta: Float in [1, 0] {
      let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
      if beta == 0 { c.buffer.values.update(repeating: .nan) }
      multiplyHere(product.a.matrix, b, into: c.matrix, beta: beta)
      #expect(product.worst(beta: beta, before: { before[$0 * shape.columns + $1] }, c: { c[$0, $1] }) <= 1)
      sums = bits(c.buffer.values)
    }
    let narrow = PaddedBFloat16(engine, shape.rows, shape.columns, pad: 0, seed: 3)
    multiplyHere(product.a.matrix, b, into: narrow.matrix)
    #expect(product.worst(ownError: 0x1.01p-8, c: { narrow[$0, $1] }) <= 1)

    // Packed from float32, of which the bfloat16 values are the rounded ones: the same bits.
    let source = MatrixMultiplyTests.Padded(
      engine, product.b.matrix.rows, product.b.matrix.columns, pad: 2, seed: 2)
    let other = Self.packed(engine, shape)
    other.pack(source.matrix, transposed: transposed)
    let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
    multiplyHere(product.a.matrix, other, into: c.matrix)
    #expect(bits(c.buffer.values) == sums)
  }

  @Test func packedAgainItHoldsTheNewWeights() {
    let engine = Engine(threads: 1)
    let shape = Shape(rows: 9, columns: 70, inner: 33)
    let product = BFloat16Product(engine, shape, .right)
    let b = Self.packed(engine, shape)
    b.pack(PaddedBFloat16(engine, 70, 33, pad: 0, seed: 8).matrix, transposed: true)
    b.pack(product.b.matrix, transposed: true)
    let c = MatrixMultiplyTests.Padded(engine, 9, 70, pad: 0, seed: 3)
    multiplyHere(product.a.matrix, b, into: c.matrix)
    #expect(product.worst(c: { c[$0, $1] }) <= 1)
  }

  @Test func oneServesBlocksOfAnyHeightOnAnyThread() {
    let shape = Shape(rows: 300, columns: 130, inner: 200)
    var results: [[UInt32]] = []
    for (threads, height) in [(1, 300), (1, 50), (3, 50), (3, 7), (7, 1), (2, 128)] {
      let engine = Engine(threads: threads)
      let product = BFloat16Product(engine, shape, .right)
      let b = Self.packed(engine, shape)
      b.pack(product.b.matrix, transposed: true)
      let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
      engine.threads.run((shape.rows + height - 1) / height) { tile in
        let first = tile * height
        let rows = min(height, shape.rows - first)
        let a = BFloat16Matrix(product.a.matrix.pointer + first * shape.inner, rows: rows, columns: shape.inner)
        let part = Matrix(c.matrix.pointer + first * shape.columns, rows: rows, columns: shape.columns)
        multiplyHere(a, b, into: part)
      }
      #expect(product.worst(c: { c[$0, $1] }) <= 1, "\(threads) threads, \(height) rows")
      if height == 50 { results.append(bits(c.buffer.values)) }
    }
    #expect(results[0] == results[1])
  }
}
