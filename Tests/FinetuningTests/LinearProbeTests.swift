import Autodiff
import Compute
import Finetuning
import Foundation
import Networks
import Parallel
import Runs
import Schemas
import TensorStream
import Testing
import Training

@Suite struct LinearProbeTests {
  private let width = 12

  /// Three classes apart in features 0 to 2, all features far from mean 0 and variance 1.
  private func separable(_ count: Int) -> Features {
    var random = CounterRandom(seed: 3, epoch: 0, sample: 0, purpose: 1)
    var values: [Float] = []
    let labels = (0..<count).map { Int32($0 % 3) }
    for label in labels {
      for d in 0..<width { values.append(Float(100 * d) + Float(random.normal()) + (d == Int(label) ? 12 : 0)) }
    }
    return Features(values: values, width: width, labels: labels)
  }

  private func probe(
    threads: Int = 1, precision: Precision = .float32,
    _ change: (inout FinetuningConfiguration<Classification>) -> Void = { _ in }
  ) throws -> LinearProbe {
    var c = FinetuningConfiguration<Classification>(mode: .linear, epochs: 30, learningRate: 0.01, weightDecay: 0)
    (c.options.pooling, c.options.labelSmoothing) = (.classToken, 0)
    c.batch = 16
    c.warmupEpochs = 3
    change(&c)
    let engine = Engine(threads: threads, precision: precision, poisoning: true)
    let encoder = Encoder(
      EncoderConfiguration(image: 20, patch: 5, channels: 3, width: width, depth: 2, heads: 3), engine: engine,
      trained: false)
    return try LinearProbe(encoder, classes: 3, configuration: c, engine: engine)
  }

  /// Logits of a head on features as they are, which is what a plain model computes.
  private func accuracy(of head: LinearWeights, on features: Features) -> Double {
    let (weight, bias) = (head.weight.tensor, head.bias.tensor)
    let correct = (0..<features.count).filter { row in
      let logits = (0..<weight.rows).map { c in
        (0..<width).reduce(Double(bias.values[c])) {
          $0 + Double(weight[c, $1]) * Double(features.values[row * width + $1])
        }
      }
      return logits.firstIndex(of: logits.max() ?? 0) == Int(features.labels[row])
    }
    return Double(correct.count) / Double(features.count)
  }

  /// And with the standardisation folded in, on features far from standard.
  @Test func whatIsSeparableIsSeparated() throws {
    let probe = try probe()
    let features = separable(300)
    #expect(try probe.train(on: features))
    #expect(accuracy(of: probe.classifier.head, on: features) == 1)
  }

  @Test func threadsDoNotChangeABit() throws {
    let weights = try [1, 2].map { threads in
      let probe = try probe(threads: threads)
      _ = try probe.train(on: separable(300))
      return Array(probe.classifier.head.weight.values.array) + Array(probe.classifier.head.bias.values.array)
    }
    #expect(weights[0] == weights[1])
  }

  /// Features may be computed in bfloat16, but the layer is not trained in it.
  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func theLayerIsTrainedInFloat32() throws {
    let weights = try Precision.allCases.map { precision in
      let probe = try probe(precision: precision)
      _ = try probe.train(on: separable(300))
      return Array(probe.classifier.head.weight.values.array)
    }
    #expect(weights[0] == weights[1])
  }

  @Test func seedsChangeTheOrder() throws {
    let weights = try [1 as UInt64, 2].map { seed in
      let probe = try probe { $0.seed = seed }
      _ = try probe.train(on: separable(300))
      return Array(probe.classifier.head.weight.values.array)
    }
    #expect(weights[0] != weights[1])
  }

  /// A feature that never changes has no deviation to divide by.
  @Test func aConstantFeatureDoesNoHarm() throws {
    var values = separable(300).values
    for row in 0..<300 { values[row * width + 7] = 5 }
    let features = Features(values: values, width: width, labels: separable(300).labels)
    let probe = try probe()
    _ = try probe.train(on: features)
    #expect(accuracy(of: probe.classifier.head, on: features) == 1)
  }

  /// Views of one epoch serve any number of passes, of several as many as they are.
  @Test func epochsOfTheViews() throws {
    let fixture = try FinetuneFixture()
    func train(views: Int, epochs: Int) throws -> Int {
      var steps = 0
      var c = FinetuningConfiguration<Classification>(
        mode: .linear, epochs: epochs, learningRate: 0.01, weightDecay: 0)
      c.options.labelSmoothing = 0
      c.batch = 8
      let engine = Engine(threads: 1, poisoning: true)
      let encoder = Encoder(fixture.encoder, engine: engine, trained: false)
      try load([Part("", encoder)], from: fixture.start, source: "the fixture")
      let probe = try LinearProbe(encoder, classes: 7, configuration: c, engine: engine)
      #expect(
        try probe.train(on: fixture.views(epochs: views)) {
          steps = $0.step; return false
        })
      #expect(encoder.parameters.allSatisfy { $0.tensor.gradient == nil })
      return steps
    }
    #expect(try train(views: 1, epochs: 5) == 15)
    #expect(try train(views: 3, epochs: 3) == 3)
    #expect(try train(views: 3, epochs: 2) == 2)
    let failure = #expect(throws: Failure.self) { _ = try train(views: 3, epochs: 4) }
    #expect(failure?.message.contains("holds 3 epochs, but the run needs 4") == true)
  }

  @Test func fewerImagesThanABatchIsAnError() throws {
    let failure = #expect(throws: Failure.self) { _ = try probe().train(on: separable(15)) }
    #expect(failure?.message.contains("15 images is fewer than a batch of 16") == true)
  }
}
