import Autodiff
import Compute
import Finetuning
import Foundation
import Networks
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// What published recipes have beside rates and decays, against PyTorch and timm: Tests/Fixtures/timm/recipes.py.
@Suite struct RecipeTests {
  let fixture: FinetuneFixture
  let theirs: Record

  init() throws {
    fixture = try FinetuneFixture()
    theirs = try readTensors(path: FinetuneFixture.folder + "recipes.safetensors")
  }

  private func values(_ name: String) throws -> [Float] { try #require(theirs[name], "\(name)").values(of: Float.self) }

  private func expect(_ mine: some Sequence<Float>, are name: String) throws {
    var (mine, other) = (Array(mine), try values(name))
    if name.hasSuffix("qkv.bias") {
      // A constant added to all keys changes nothing: its gradient is rounding, which Adam blows up.
      for third in [12..<24] { (mine[third], other[third]) = ([], []) }
    }
    #expect(mine.count == other.count)
    #expect(zip(mine, other).map { abs($0 - $1) }.max() ?? .infinity < 1e-5, "\(name)")
  }

  private func expect(losses: [Double], are name: String) throws {
    let other = try values(name).map(Double.init)
    #expect(losses.count == other.count)
    for (mine, other) in zip(losses, other) { #expect(abs(mine - other) < 1e-5 * other) }
  }

  private func trained(_ change: (inout FinetuningConfiguration<Classification>) -> Void) throws -> (
    run: FinetuningRun<Classification>, losses: [Double]
  ) {
    var c = fixture.configuration(.mean)
    (c.warmupRate, c.minimumRate) = (1e-4, 2e-4)
    change(&c)
    let run = try fixture.run(c)
    var losses: [Double] = []
    _ = try run.train(on: fixture.views()) {
      losses.append($0.loss)
      return false
    }
    return (run, losses)
  }

  /// A limit that holds in every step, ends of the schedule that are not zero, and the weights' average beside the weights.
  @Test func averageAndLimitAgreeWithTimm() throws {
    let (run, losses) = try trained { ($0.clip, $0.ema) = (0.5, 0.9) }
    try expect(losses: losses, are: "average.loss")
    for parameter in run.task.classifier.parameters {
      try expect(parameter.values.array, are: "average.final.\(parameter.name)")
    }
    let average = try #require(run.average)
    #expect(
      average.constants.map(\.name).sorted() == (run.task.classifier.parameters.map(\.name) + ["pos_embed"]).sorted())
    for constant in average.constants where constant.name != "pos_embed" {
      try expect(constant.tensor.values.array, are: "average.average.\(constant.name)")
    }
  }

  @Test func binaryCrossEntropyAgreesWithTimm() throws {
    let (run, losses) = try trained { $0.options.loss = .binary }
    try expect(losses: losses, are: "bce.loss")
    for parameter in run.task.classifier.parameters {
      try expect(parameter.values.array, are: "bce.final.\(parameter.name)")
    }
  }

  /// MAE's probe on all rows a step, so that their order decides nothing.
  @Test(arguments: [1, 2]) func theProbeOfMAEAgreesWithPyTorch(threads: Int) throws {
    let labels = try #require(theirs["probe.label"]).values(of: Int32.self)
    var c = FinetuningConfiguration<Classification>(mode: .linear, epochs: 10, learningRate: 3, weightDecay: 0)
    c.options.labelSmoothing = 0
    (c.batch, c.warmupEpochs, c.rule, c.standardising) = (labels.count, 2, .lars, .batch)
    let engine = Engine(threads: threads, poisoning: true)
    let probe = try LinearProbe(
      Encoder(fixture.encoder, engine: engine, trained: false), classes: 5, configuration: c, engine: engine)
    let head = probe.classifier.head
    let start = try values("probe.start.weight")
    head.weight.tensor.withValues { _ = $0.update(fromContentsOf: start) }
    let features = Features(values: try values("probe.features"), width: 12, labels: labels)
    var losses: [Double] = []
    _ = try probe.train(on: features) {
      losses.append($0.loss)
      return false
    }
    try expect(losses: losses, are: "probe.loss")
    // The head has the batch norm's running statistics in it.
    let logits = try values("probe.logits")
    for row in 0..<labels.count {
      for c in 0..<5 {
        let mine = (0..<12).reduce(Double(head.bias.values[c])) {
          $0 + Double(head.weight.tensor[c, $1]) * Double(features.values[12 * row + $1])
        }
        #expect(abs(mine - Double(logits[5 * row + c])) < 1e-5)
      }
    }
  }

  @Test func whatCannotBeIsAnError() throws {
    func message(_ change: (inout FinetuningConfiguration<Classification>) -> Void) -> String {
      var c = fixture.configuration(.mean)
      change(&c)
      let failure = #expect(throws: Failure.self) { try c.validate() }
      return failure?.message ?? ""
    }
    #expect(message { $0.ema = 1 } == "ema must be from 0 to below 1, not 1.0")
    #expect(message { $0.clip = 0 } == "clip must be above 0, not 0.0")
    #expect(message { $0.options.mixProbability = 1.5 } == "mix-prob must be from 0 to 1, not 1.5")
    #expect(message { $0.minimumRate = 1 } == "min-lr must be at most the learning rate, 0.002, not 1.0")
    #expect(message { ($0.standardising, $0.batch) = (.batch, 1) }.contains("one image has no variance"))
  }
}
