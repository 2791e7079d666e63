import Autodiff
import Compute
import Parallel
import Pretraining
import Runs
import Schemas
import Testing
import Training

/// Sinkhorn-Knopp by its definition.
struct LabelTests {
  @Test func assignmentsAreBalancedAndSumToOne() {
    let engine = Engine(threads: 2, poisoning: true)
    let (rows, columns) = (150, 37)
    let logits = Tensor(rows: rows, columns: columns, values: engine.memory.take(rows * columns))
    var random = CounterRandom(seed: 1, epoch: 0, sample: 0, purpose: 1)
    for i in 0..<rows * columns { logits.pointer[i] = Float(random.uniform(in: -1...1)) }
    sinkhorn([logits], temperature: 0.5, iterations: 50, engine: engine)
    for r in 0..<rows {
      let sum = (0..<columns).reduce(0.0) { $0 + Double(logits.row(r)[$1]) }
      #expect(abs(sum - 1) < 1e-5)
    }
    for c in 0..<columns {
      let sum = (0..<rows).reduce(0.0) { $0 + Double(logits.row($1)[c]) }
      #expect(abs(sum - Double(rows) / Double(columns)) < 1e-3, "prototype \(c) holds \(sum) of \(rows) rows")
    }
  }

  /// Rows in pieces are balanced together, not each by itself.
  @Test func piecesAreOneBatch() {
    let engine = Engine(threads: 2, poisoning: true)
    let (rows, columns) = (150, 37)
    func logits(_ range: Range<Int>) -> Tensor {
      let piece = Tensor(rows: range.count, columns: columns, values: engine.memory.take(range.count * columns))
      for r in range {
        var random = CounterRandom(seed: 2, epoch: 0, sample: r, purpose: 1)
        for c in 0..<columns { piece.row(r - range.lowerBound)[c] = Float(random.uniform(in: -1...1)) }
      }
      return piece
    }
    let whole = logits(0..<rows)
    let pieces = [logits(0..<20), logits(20..<149), logits(149..<rows)]
    sinkhorn([whole], temperature: 0.1, iterations: 3, engine: engine)
    sinkhorn(pieces, temperature: 0.1, iterations: 3, engine: engine)
    let joined = pieces.flatMap { Array($0.values.values) }
    #expect(joined.count == rows * columns)
    #expect(zip(joined, whole.values.values).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
  }

  @Test func oneRoundFollowsTheDefinition() {
    // Two rows, two prototypes, worked by hand: q = e^(x/τ), divided by its column sums, then by its row sums.
    let engine = Engine(threads: 1, poisoning: true)
    let logits = Tensor(rows: 2, columns: 2, values: engine.memory.take(4))
    for (i, value) in [Float](arrayLiteral: 0.5, 0.1, -0.2, 0.4).enumerated() { logits.pointer[i] = value }
    sinkhorn([logits], temperature: 0.5, iterations: 1, engine: engine)
    // e^1, e^0.2, e^-0.4, e^0.8 over the column sums 3.38860 and 3.44694, then over the rows' sums.
    let expected: [Float] = [0.693621, 0.306379, 0.234496, 0.765504]
    for i in 0..<4 { #expect(abs(logits.pointer[i] - expected[i]) < 2e-3, "\(logits.pointer[i])") }
  }
}
