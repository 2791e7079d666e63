import Autodiff
import Compute
import Parallel
import Testing

/// A matrix in double precision, as the references compute with.
struct Reference {
  var rows: Int
  var columns: Int
  var values: [Double]

  init(_ rows: Int, _ columns: Int, _ values: [Double]) {
    precondition(values.count == rows * columns)
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  init(_ rows: Int, _ columns: Int, _ value: (_ row: Int, _ column: Int) -> Double) {
    self.init(rows, columns, (0..<rows * columns).map { value($0 / columns, $0 % columns) })
  }

  subscript(_ r: Int, _ c: Int) -> Double {
    get { values[r * columns + c] }
    set { values[r * columns + c] = newValue }
  }

  func row(_ r: Int) -> [Double] { Array(values[r * columns..<(r + 1) * columns]) }
}

/// A differentiable operation as the tape has it, and the same function once more in double precision, written from its
/// definition. The check computes both, and holds the tape's gradients against central differences of the second.
struct Operation: Sendable {
  enum Outputs {
    case tensor(Tensor)
    case losses([(loss: Loss, weight: Float)])

    static func loss(_ loss: Loss) -> Outputs { .losses([(loss: loss, weight: Float(1))]) }
  }

  let name: String
  /// Shapes of the inputs, parameters among them.
  let shapes: [(rows: Int, columns: Int)]
  /// Which of them take no gradient.
  var constants: Set<Int> = []
  let compute: @Sendable (_ tape: Tape, _ inputs: [Tensor]) -> Outputs
  /// The same; a loss as a matrix of one value.
  let reference: @Sendable (_ inputs: [Reference]) -> Reference
}

extension Operation: CustomTestStringConvertible {
  var testDescription: String { name }
}

/// What an operation gave for its inputs.
struct Outcome {
  var output: [Float] = []
  /// For each input; nil where none came.
  var gradients: [[Float]?] = []
  /// The constants that the output was compared with to have a loss, where it is no loss itself.
  var target: [Float] = []
}

extension Operation {
  /// Inputs: normal numbers, exact in float32.
  func inputs(seed: UInt64 = 1) -> [[Float]] {
    shapes.enumerated().map { place, shape in numbers(shape.rows * shape.columns, seed: seed * 100 + UInt64(place)) }
  }

  /// Forward and backward on a tape. An output that is not a loss gets the mean squared distance to `target` as one.
  func run(_ inputs: [[Float]], threads: Int = 1) -> Outcome {
    let engine = Engine(threads: threads, poisoning: true)
    fillWithNaN(engine.memory)
    let tape = Tape(engine)
    let tensors = zip(shapes, inputs).enumerated().map { place, input in
      tensor(engine, input.0.rows, input.0.columns, input.1, tracksGradient: !constants.contains(place))
    }
    var outcome = Outcome()
    let losses: [(loss: Loss, weight: Float)]
    switch compute(tape, tensors) {
    case .losses(let several):
      losses = several
      outcome.output = [Float(losses.reduce(0) { $0 + Double($1.weight) * $1.loss.value })]
    case .tensor(let y):
      outcome.output = y.array
      outcome.target = zip(outcome.output, numbers(y.count, seed: 999)).map { $0 + $1 }
      losses = [(tape.meanSquaredError(y, target: tensor(engine, y.rows, y.columns, outcome.target)), 1)]
    }
    tape.backward(losses)
    outcome.gradients = tensors.map { t in t.gradient.map { $0.array } }
    return outcome
  }

  /// Everything that is wrong with the operation: outputs that differ from the reference's by more than 1e-5 of the largest,
  /// and gradients that differ from central differences by more than 2e-5 of the largest.
  func problems() -> [String] {
    let inputs = self.inputs()
    let outcome = run(inputs)
    let exact = zip(shapes, inputs).map { Reference($0.rows, $0.columns, $1.map(Double.init)) }
    var problems: [String] = []

    let truth = reference(exact).values
    if let problem = difference(outcome.output, truth, tolerance: 1e-5) { problems.append("output: \(problem)") }

    /// The loss of inputs by the reference.
    func loss(_ inputs: [Reference]) -> Double {
      let y = reference(inputs).values
      if outcome.target.isEmpty { return y[0] }
      return zip(y, outcome.target).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) } / Double(y.count)
    }
    for place in shapes.indices {
      if constants.contains(place) {
        if outcome.gradients[place] != nil { problems.append("input \(place) is constant, but has a gradient") }
        continue
      }
      guard let gradient = outcome.gradients[place] else {
        problems.append("input \(place) has no gradient")
        continue
      }
      var moved = exact
      let h = 1e-5
      let differences = exact[place].values.indices.map { i in
        moved[place].values[i] = exact[place].values[i] + h
        let above = loss(moved)
        moved[place].values[i] = exact[place].values[i] - h
        let below = loss(moved)
        moved[place].values[i] = exact[place].values[i]
        return (above - below) / (2 * h)
      }
      if let problem = difference(gradient, differences, tolerance: 2e-5) {
        problems.append("gradient for input \(place): \(problem)")
      }
    }
    return problems
  }

  private func difference(_ values: [Float], _ truth: [Double], tolerance: Double) -> String? {
    if values.count != truth.count { return "\(values.count) values, expected \(truth.count)" }
    let size = truth.map(abs).max() ?? 0
    for (i, (value, truth)) in zip(values, truth).enumerated() where !(abs(Double(value) - truth) <= tolerance * size) {
      return "\(value) at \(i), expected \(truth) (the largest is \(size))"
    }
    return nil
  }
}

/// Normal numbers, the same each time.
func numbers(_ count: Int, seed: UInt64) -> [Float] {
  var random = CounterRandom(seed: seed, epoch: 0, sample: count, purpose: 0x7E57)
  return (0..<count).map { _ in Float(random.normal()) }
}

/// Leaves memory in a pool that is NaN throughout, so that an operation that reads what it has not written shows.
private func fillWithNaN(_ memory: MemoryPool) {
  var held: [Buffer] = []
  for power in 6..<14 {
    for eighth in 8..<16 {
      for _ in 0..<6 {
        let buffer = memory.take((1 << power) / 8 * eighth)
        buffer.withValues { $0.update(repeating: .nan) }
        held.append(buffer)
      }
    }
  }
}

func tensor(
  _ engine: Engine, _ rows: Int, _ columns: Int, _ values: [Float], tracksGradient: Bool = false
) -> Tensor {
  precondition(values.count == rows * columns)
  let buffer = engine.memory.take(values.count)
  values.indices.forEach { buffer[$0] = values[$0] }
  return Tensor(rows: rows, columns: columns, values: buffer, tracksGradient: tracksGradient)
}

extension Tensor {
  var array: [Float] { (0..<rows).flatMap { values(ofRow: $0) } }
}
