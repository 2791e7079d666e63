import Autodiff
import Compute
import Testing

/// What a tape keeps, and what it leaves alone.
struct TapeTests {
  @Test func gradientsOfTwoPassesAddUpUntilTheyAreTaken() throws {
    let engine = Engine(threads: 2, poisoning: true)
    let weight = Parameter("weight", shape: [3, 5], engine: engine, trained: true)
    let values = numbers(15, seed: 1)
    values.indices.forEach { weight.values[$0] = values[$0] }
    func pass(_ seed: UInt64) {
      let tape = Tape(engine)
      let y = tape.linear(tensor(engine, 4, 5, numbers(20, seed: seed)), weight.tensor)
      tape.backward([(tape.meanSquaredError(y, target: tensor(engine, 4, 3, numbers(12, seed: 9))), 1)])
    }
    func gradient() throws -> [Float] { try #require(weight.tensor.gradient).array }
    pass(2)
    let first = try gradient()
    pass(3)
    let both = try gradient()
    weight.tensor.clearGradient()
    #expect(weight.tensor.gradient == nil)
    pass(3)
    let second = try gradient()
    for i in 0..<15 { #expect(abs(both[i] - first[i] - second[i]) <= 1e-6) }
    weight.tensor.setZeroGradient(engine)
    #expect(try gradient().allSatisfy { $0 == 0 })
  }

  /// The gradient of a sum is shared by its terms. A pass that adds to one of them must not change the other's.
  @Test func aSharedGradientIsCopiedBeforeItChanges() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let a = tensor(engine, 2, 3, numbers(6, seed: 1), tracksGradient: true)
    let b = tensor(engine, 2, 3, numbers(6, seed: 2), tracksGradient: true)
    func pass(_ build: (Tape) -> Tensor) {
      let tape = Tape(engine)
      tape.backward([(tape.meanSquaredError(build(tape), target: tensor(engine, 2, 3, numbers(6, seed: 3))), 1)])
    }
    pass { $0.addBranch(a, b) }
    func gradient(_ x: Tensor) throws -> [Float] { try #require(x.gradient).array }
    let (first, other) = (try gradient(a), try gradient(b))
    #expect(first == other)
    pass { $0.addBranch(a, a) }
    #expect(try gradient(b) == other)
    #expect(try gradient(a) != first)
  }

  @Test func aTapeThatDoesNotRecordKeepsNothing() {
    let engine = Engine(threads: 2, poisoning: true)
    let x = tensor(engine, 40, 64, numbers(40 * 64, seed: 1), tracksGradient: true)
    let w = tensor(engine, 64, 64, numbers(64 * 64, seed: 2), tracksGradient: true)
    let b = tensor(engine, 1, 64, numbers(64, seed: 3), tracksGradient: true)
    func layers(_ tape: Tape, _ count: Int) -> Tensor {
      var y = x
      for _ in 0..<count {
        y = tape.addBranch(y, tape.geluLinear(tape.layerNorm(y, b, b), w, b))
        y = tape.normaliseRows(y)
      }
      return y
    }
    let tape = Tape(engine, recording: false)
    #expect(!tape.isRecording)
    _ = layers(tape, 2)
    let bytes = engine.memory.bytes
    let y = layers(tape, 50)
    #expect(engine.memory.bytes == bytes, "50 layers need no more memory than two")
    #expect(!y.tracksGradient)
    let loss = tape.meanSquaredError(y, target: tensor(engine, 40, 64, [Float](repeating: 0, count: 40 * 64)))
    tape.backward([(loss, 1)])
    #expect(x.gradient == nil && w.gradient == nil && b.gradient == nil)
    // The same on a tape that records holds every layer until the gradients have passed, and gives the same values.
    let recording = Tape(engine)
    let z = layers(recording, 50)
    #expect(z.array == y.array)
    #expect(z.tracksGradient && engine.memory.bytes > 10 * bytes)
  }

  @Test func aSteadyStepAllocatesNothing() {
    let engine = Engine(threads: 2, poisoning: true)
    let x = tensor(engine, 30, 24, numbers(720, seed: 1))
    let w = Parameter("w", shape: [72, 24], engine: engine, trained: true)
    let target = tensor(engine, 30, 24, numbers(720, seed: 2))
    func step() {
      let tape = Tape(engine)
      let y = tape.attention(tape.linear(x, w.tensor), sequences: 5, tokens: 6, heads: 4)
      tape.backward([
        (tape.meanSquaredError(tape.addBranch(x, y), target: target), 1), (tape.cosineLoss(y, target: target), 2),
      ])
      w.tensor.clearGradient()
    }
    for _ in 0..<2 { step() }
    let bytes = engine.memory.bytes
    for _ in 0..<20 { step() }
    #expect(engine.memory.bytes == bytes)
  }

  @Test func whatNoLossReachesGetsNoGradient() {
    let engine = Engine(threads: 1, poisoning: true)
    let tape = Tape(engine)
    let x = tensor(engine, 2, 3, numbers(6, seed: 1), tracksGradient: true)
    let unused = tensor(engine, 2, 3, numbers(6, seed: 2), tracksGradient: true)
    let without = tensor(engine, 2, 3, numbers(6, seed: 3), tracksGradient: true)
    let target = tensor(engine, 2, 3, numbers(6, seed: 4))
    _ = tape.normaliseRows(unused)
    tape.backward([
      (tape.meanSquaredError(tape.normaliseRows(x), target: target), 1),
      (tape.meanSquaredError(tape.normaliseRows(without), target: target), 0),
    ])
    #expect(x.gradient != nil)
    #expect(unused.gradient == nil && without.gradient == nil && target.gradient == nil)
  }

  /// Equation 2's targets: unbiased variance, and no gradient.
  @Test func standardisedRowsAreConstants() {
    let engine = Engine(threads: 2, poisoning: true)
    let x = tensor(engine, 5, 7, numbers(35, seed: 1), tracksGradient: true)
    let y = Tape(engine).standardiseRows(x)
    #expect(!y.tracksGradient)
    for r in 0..<5 {
      let row = (0..<7).map { Double(x[r, $0]) }
      let mean = row.reduce(0, +) / 7
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6
      for c in 0..<7 { #expect(abs(Double(y[r, c]) - (row[c] - mean) / (variance + 1e-6).squareRoot()) <= 1e-6) }
    }
  }

  /// Values that are computed when they are first asked for, as a norm's: tasks that asked at once would race.
  @Test func tasksDoNotComputeLazyValues() async {
    await #expect(processExitsWith: .success) {
      let engine = Engine(threads: 2)
      let y = lazilyNormalised(engine)
      y.withMatrix { y in engine.threads.run(4) { print(y.row($0)[0]) } }
    }
    await #expect(processExitsWith: .failure) {
      let engine = Engine(threads: 2)
      let y = lazilyNormalised(engine)
      engine.threads.run(4) { print(y[$0, 0]) }
    }
  }

  @Test func parametersKnowTheirMatrixAndWhetherTheyDecay() {
    let engine = Engine(threads: 1, poisoning: true)
    let cases: [(String, [Int], rows: Int, columns: Int, decays: Bool)] = [
      ("fc1.weight", [8, 3], 8, 3, true), ("fc1.bias", [8], 1, 8, false), ("norm.weight", [5], 1, 5, false),
      ("cls_token", [1, 1, 6], 1, 6, false), ("mask_token", [1, 1, 4], 1, 4, false),
      ("patch_embed.proj.weight", [6, 3, 4, 4], 6, 48, true), ("class_prototypes", [9, 5], 9, 5, true),
    ]
    for (name, shape, rows, columns, decays) in cases {
      let parameter = Parameter(name, shape: shape, engine: engine, trained: true)
      #expect(parameter.tensor.rows == rows && parameter.tensor.columns == columns, "\(name)")
      #expect(parameter.decays == decays, "\(name)")
      #expect(parameter.tensor.array.allSatisfy { $0 == 0 })
    }
  }

  /// What a loss needs is its own to keep: nothing else holds labels and targets when the backward pass begins, and whoever asks
  /// for memory meanwhile must not be given theirs.
  @Test(arguments: 0..<3) func aLossKeepsWhatItNeeds(which: Int) throws {
    let engine = Engine(threads: 1, poisoning: true)
    func gradient(disturbed: Bool) throws -> [Float] {
      let tape = Tape(engine)
      let x = tensor(engine, 6, 40, numbers(6 * 40, seed: 1), tracksGradient: true)
      func loss() -> Loss {
        let other = tensor(engine, 6, 40, numbers(6 * 40, seed: 2))
        return switch which {
        case 0: tape.softCrossEntropy(x, labels: other)
        case 1: tape.cosineLoss(x, target: other)
        default: tape.meanSquaredError(x, target: other)
        }
      }
      let value = loss()
      let others = (0..<4).map { _ in engine.memory.take(6 * 40) }
      if disturbed { for other in others { other.withValues { $0.update(repeating: Float.nan) } } }
      tape.backward([(value, 1)])
      return try #require(x.gradient).array
    }
    let (undisturbed, disturbed) = (try gradient(disturbed: false), try gradient(disturbed: true))
    #expect(undisturbed.allSatisfy { $0.isFinite } && disturbed == undisturbed)
  }
}

private func lazilyNormalised(_ engine: Engine) -> Tensor {
  let (x, gamma, beta) = (
    tensor(engine, 4, 8, numbers(32, seed: 1)), tensor(engine, 1, 8, numbers(8, seed: 2)),
    tensor(engine, 1, 8, numbers(8, seed: 3))
  )
  return Tape(engine).layerNorm(x, gamma, beta)
}
