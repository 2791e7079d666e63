import Autodiff
import CKernels
import Compute
import Foundation
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
    for i in 0..<rows * columns { logits.values[i] = Float(random.uniform(in: -1...1)) }
    sinkhorn([logits], temperature: 0.5, iterations: 50, engine: engine)
    for r in 0..<rows {
      let sum = (0..<columns).reduce(0.0) { $0 + Double(logits[r, $1]) }
      #expect(abs(sum - 1) < 1e-5)
    }
    for c in 0..<columns {
      let sum = (0..<rows).reduce(0.0) { $0 + Double(logits[$1, c]) }
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
        for c in 0..<columns { piece[r - range.lowerBound, c] = Float(random.uniform(in: -1...1)) }
      }
      return piece
    }
    let whole = logits(0..<rows)
    let pieces = [logits(0..<20), logits(20..<149), logits(149..<rows)]
    sinkhorn([whole], temperature: 0.1, iterations: 3, engine: engine)
    sinkhorn(pieces, temperature: 0.1, iterations: 3, engine: engine)
    let joined = pieces.flatMap { Array($0.values.array) }
    #expect(joined.count == rows * columns)
    #expect(zip(joined, whole.values.array).allSatisfy { abs($0 - $1) <= 1e-5 * $1 })
  }

  /// A collapse, and a temperature as low as can be: whole prototypes or rows lie so far below the greatest logit that their
  /// exponentials vanish in float32. Against logarithms in double precision.
  @Test(arguments: Collapse.allCases, [0.012, 0.0226, 0.05])
  func aCollapseIsBalanced(_ kind: Collapse, temperature: Double) {
    let engine = Engine(threads: 2, poisoning: true)
    let (rows, columns) = (300, 70)
    let values = (0..<rows).flatMap { r in (0..<columns).map { kind.logit(r, $0) } }
    let pieces = [0..<130, 130..<rows].map { range in
      let piece = Tensor(rows: range.count, columns: columns, values: engine.memory.take(range.count * columns))
      for (i, r) in range.enumerated() { for c in 0..<columns { piece[i, c] = values[r * columns + c] } }
      return piece
    }
    sinkhorn(pieces, temperature: temperature, iterations: 3, engine: engine)
    let labels = pieces.flatMap { $0.values.array }
    let expected = logSinkhorn(values, columns: columns, temperature: temperature, iterations: 3)
    #expect(labels.allSatisfy { $0.isFinite })
    #expect(zip(labels, expected).allSatisfy { abs(Double($0) - $1) <= 1e-4 })
  }

  /// Where nothing vanishes the bits are those of the plain way: exponentials, sums, rows scaled.
  @Test(arguments: [0.03, 0.05, 0.5]) func thePlainWayIsTakenWherePossible(temperature: Double) {
    let engine = Engine(threads: 2, poisoning: true)
    let (rows, columns) = (90, 37)
    let logits = Tensor(rows: rows, columns: columns, values: engine.memory.take(rows * columns))
    var random = CounterRandom(seed: 3, epoch: 0, sample: 0, purpose: 1)
    for i in 0..<rows * columns { logits.values[i] = Float(random.uniform(in: -1...1)) }
    let x = logits.values.array
    var q = x
    pmae_exp_scaled(x, &q, q.count, x.max()!, Float(1 / temperature))
    for _ in 0..<3 {
      var sums = [Float](repeating: 0, count: columns)
      pmae_column_sums(q, &sums, rows, columns, columns, 0)
      let scales = sums.map { 1 / $0 }
      q.withUnsafeMutableBufferPointer { q in
        for r in 0..<rows { pmae_scale_row(q.baseAddress! + r * columns, scales, columns) }
      }
    }
    sinkhorn([logits], temperature: temperature, iterations: 3, engine: engine)
    #expect(logits.values.array == q)
  }

  @Test func oneRoundFollowsTheDefinition() {
    // Two rows, two prototypes, worked by hand: q = e^(x/τ), divided by its column sums, then by its row sums.
    let engine = Engine(threads: 1, poisoning: true)
    let logits = Tensor(rows: 2, columns: 2, values: engine.memory.take(4))
    for (i, value) in [Float](arrayLiteral: 0.5, 0.1, -0.2, 0.4).enumerated() { logits.values[i] = value }
    sinkhorn([logits], temperature: 0.5, iterations: 1, engine: engine)
    // e^1, e^0.2, e^-0.4, e^0.8 over the column sums 3.38860 and 3.44694, then over the rows' sums.
    let expected: [Float] = [0.693621, 0.306379, 0.234496, 0.765504]
    for i in 0..<4 { #expect(abs(logits.values[i] - expected[i]) < 2e-3, "\(logits.values[i])") }
  }
}

/// Logits of a model that has lost what it knew: cosines, up to 2 apart.
enum Collapse: CaseIterable {
  /// A prototype that is opposite to every row.
  case prototypeOpposite
  /// All rows at one place and one prototype there: every other is as far away as can be.
  case onePrototype
  /// One row opposite to all others, and all prototypes alike.
  case rowOpposite
  /// Everything alike.
  case alike
  /// No collapse.
  case spread

  func logit(_ r: Int, _ c: Int) -> Float {
    let small = Float((r * 31 + c * 17) % 97) / 97
    return switch self {
    case .prototypeOpposite: c == 5 ? -1 + 0.01 * small : 0.9 + 0.1 * small
    case .onePrototype: c == 5 ? 1 - 0.001 * small : -1 + 0.3 * small
    case .rowOpposite: r == 7 ? -1 + 0.02 * small : 1 - 0.02 * small
    case .alike: 0.5
    case .spread: 2 * small - 1
    }
  }
}

/// Sinkhorn-Knopp from logarithms, by its definition.
private func logSinkhorn(_ x: [Float], columns: Int, temperature: Double, iterations: Int) -> [Double] {
  var logarithms = x.map { Double($0) / temperature }
  let rows = x.count / columns
  func normalise(_ places: [Int]) {
    let top = places.map { logarithms[$0] }.max()!
    let total = top + log(places.reduce(0) { $0 + exp(logarithms[$1] - top) })
    for place in places { logarithms[place] -= total }
  }
  for _ in 0..<iterations {
    for c in 0..<columns { normalise((0..<rows).map { $0 * columns + c }) }
    for r in 0..<rows { normalise((0..<columns).map { r * columns + $0 }) }
  }
  return logarithms.map(exp)
}
