import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// AdamW against PyTorch's, and the schedules.
struct OptimizerTests {
  static let names = ["weight", "bias", "cls_token", "proj"]

  @Test(arguments: [1, 3]) func everyStepAgreesWithPyTorch(threads: Int) throws {
    let file = try readTensors(path: fixture("reference/adamw.safetensors"))
    let engine = Engine(threads: threads, poisoning: true)
    let parameters = try OptimizerRun.parameters(Self.names, from: file, engine: engine)
    let optimizer = AdamW(parameters.map { TrainedParameter($0.name, $0) }, weightDecay: 0.05, engine: engine)
    try OptimizerRun.hold(optimizer, of: parameters, to: file, steps: "after", within: 1e-6, engine: engine)
  }

  /// Without gradients nothing moves but by decay, and only matrices do.
  @Test func matricesAloneDecay() {
    let engine = Engine(threads: 1, poisoning: true)
    let shapes: [(String, [Int])] = [
      ("fc.weight", [3, 2]), ("patch_embed.proj.weight", [2, 3, 2, 2]), ("fc.bias", [5]), ("norm.weight", [4]),
      ("cls_token", [1, 1, 6]), ("mask_token", [1, 1, 3]),
    ]
    let parameters = shapes.map { name, shape in
      let parameter = Parameter(name, shape: shape, engine: engine, trained: true)
      parameter.values.withValues { $0.update(repeating: 2) }
      return parameter
    }
    let optimizer = AdamW(parameters.map { TrainedParameter($0.name, $0) }, weightDecay: 0.1, engine: engine)
    optimizer.step(rate: 0.5)
    for parameter in parameters {
      let expected: Float = parameter.name.hasSuffix("weight") && parameter.shape.count > 1 ? 1.9 : 2
      #expect(parameter.tensor.array.allSatisfy { abs($0 - expected) < 1e-6 }, "\(parameter.name)")
    }
  }

  @Test func layersHaveRatesOfTheirOwn() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let pair = ["a.weight", "b.weight"].map { Parameter($0, shape: [2, 3], engine: engine, trained: true) }
    let optimizer = AdamW(
      [TrainedParameter("a", pair[0]), TrainedParameter("b", pair[1], rateScale: 0.25)], weightDecay: 0, engine: engine)
    for parameter in pair { try set(parameter.tensor, engine, gradient: [1, -1, 2, -2, 3, -3]) }
    optimizer.step(rate: 0.01)
    // The first step of Adam is the rate with the gradient's sign.
    for i in 0..<6 {
      let sign: Float = i % 2 == 0 ? -1 : 1
      #expect(abs(pair[0].values[i] - sign * 0.01) < 1e-7)
      #expect(abs(pair[1].values[i] - sign * 0.0025) < 1e-7)
    }
  }

  @Test func theFirstGradientThatIsNotFiniteIsNamed() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let parameters = (0..<4).map { Parameter("p\($0)", shape: [3, 7], engine: engine, trained: true) }
    let optimizer = AdamW(parameters.map { TrainedParameter($0.name, $0) }, weightDecay: 0, engine: engine)
    #expect(optimizer.firstNonFiniteGradient() == nil, "no gradient is a finite one")
    var gradient = [Float](repeating: 1, count: 21)
    for place in [0, 1, 3] { try set(parameters[place].tensor, engine, gradient: gradient) }
    #expect(optimizer.firstNonFiniteGradient() == nil)
    gradient[20] = .infinity
    try set(parameters[3].tensor, engine, gradient: gradient)
    #expect(optimizer.firstNonFiniteGradient() == "p3")
    gradient[20] = .nan
    try set(parameters[1].tensor, engine, gradient: gradient)
    #expect(optimizer.firstNonFiniteGradient() == "p1")
  }

  @Test func halfACosine() {
    #expect(cosine(0.96, 0.99, 0, 10) == 0.96)
    #expect(abs(cosine(0.96, 0.99, 5, 10) - 0.975) < 1e-15)
    #expect(cosine(0.96, 0.99, 10, 10) == 0.99)
    #expect(abs(cosine(1, 0, 1, 3) - 0.75) < 1e-15)
    #expect(abs(cosine(1, 0, 2, 3) - 0.25) < 1e-15)
  }

  @Test func theRateRisesInALineThenFallsAlongACosine() {
    func rate(_ epoch: Double) -> Double { RateSchedule(peak: 2, warmupEpochs: 4).rate(epoch: epoch, epochs: 20) }
    #expect(rate(0) == 0)
    #expect(rate(1) == 0.5)
    #expect(rate(3.5) == 1.75)
    #expect(rate(4) == 2)
    #expect(abs(rate(12) - 1) < 1e-15)
    #expect(abs(rate(8) - (1 + 0.5.squareRoot())) < 1e-15)
    #expect(rate(20) == 0)
    let points = (0...200).map { rate(Double($0) / 10) }
    #expect(zip(points, points.dropFirst()).enumerated().allSatisfy { ($0 < 40) == ($1.0 < $1.1) })
    // Without a warm-up, and with nothing but one.
    #expect(RateSchedule(peak: 2, warmupEpochs: 0).rate(epoch: 0, epochs: 10) == 2)
    #expect(RateSchedule(peak: 2, warmupEpochs: 10).rate(epoch: 9, epochs: 10) == 1.8)
    #expect(RateSchedule(peak: 2, warmupEpochs: 10).rate(epoch: 10, epochs: 10).isFinite)
  }
}
