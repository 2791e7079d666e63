import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// Momentum and LARS against PyTorch's SGD and timm's LARS: Fixtures/reference/make_momentum.py.
struct MomentumTests {
  static let names = ["weight", "bias", "scale", "proj"]

  @Test(arguments: ["sgd", "lars", "lars-without-decay"], [1, 3])
  func everyStepAgrees(rule: String, threads: Int) throws {
    let file = try readTensors(path: fixture("reference/momentum.safetensors"))
    let engine = Engine(threads: threads, poisoning: true)
    let parameters = try OptimizerRun.parameters(Self.names, from: file, engine: engine)
    let optimizer = Momentum(
      parameters.map { TrainedParameter($0.name, $0, decays: $0.shape.count > 1) },
      weightDecay: rule == "lars-without-decay" ? 0 : 0.05, trust: rule == "sgd" ? nil : 0.001, engine: engine)
    try OptimizerRun.hold(optimizer, of: parameters, to: file, steps: rule, within: 2e-6, engine: engine)
    #expect(optimizer.firstNonFiniteParameter == nil)
    #expect(optimizer.moments.map(\.name) == Self.names.map { "momentum." + $0 })
  }

  /// Clipping and LARS's lengths are of all of a parameter, however many blocks it has.
  @Test func longGradientsAreLimited() throws {
    let engine = Engine(threads: 2, poisoning: true)
    let parameter = Parameter("long", shape: [40_000], engine: engine, trained: true)
    parameter.values.zero()
    let optimizer = Momentum([TrainedParameter("long", parameter)], weightDecay: 0, engine: engine)
    try set(parameter.tensor, engine, gradient: [Float](repeating: 1, count: 40_000))
    optimizer.step(rate: 1, StepUpdate(clip: .whole(2)))
    // A length of 200 becomes 2.
    #expect(parameter.tensor.array.allSatisfy { abs($0 + 0.01) < 1e-7 })
  }

  @Test func whatIsNotFiniteIsNamed() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let pair = ["a", "b"].map { Parameter($0, shape: [3], engine: engine, trained: true) }
    for parameter in pair { parameter.values.zero() }
    let optimizer = Momentum(pair.map { TrainedParameter($0.name, $0) }, weightDecay: 0, engine: engine)
    try set(pair[1].tensor, engine, gradient: [0, 3e38, 0])
    #expect(optimizer.firstNonFiniteGradient() == nil)
    optimizer.step(rate: 10)
    #expect(optimizer.firstNonFiniteParameter == "b")
  }
}
