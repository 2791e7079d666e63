import Compute
import Finetuning
import Foundation
import Networks
import Ranks
import Runs
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// A batch that several ranks compute is the batch, in fine-tuning and in a probe.
@Suite struct FinetuningRankTests {
  /// A run on some ranks: what they say of each step, and the state at the end.
  struct Trained: Sendable {
    let figures: [[Figure]]
    let tensors: [String: [Float]]

    var bits: [String: [UInt32]] { tensors.mapValues { $0.map(\.bitPattern) } }

    /// - Parameter tensors: of a checkpoint.
    init(_ figures: [[Figure]], _ tensors: [NamedTensor]) throws {
      self.figures = figures.map { $0.filter { $0.name != "images_per_second" } }
      self.tensors = Dictionary(
        uniqueKeysWithValues: try tensors.map { ($0.name, try $0.tensor.values(of: Float.self)) })
    }

    /// Of ranks, which must say the same.
    static func one(_ all: [Trained]) -> Trained {
      for other in all.dropFirst() {
        #expect(other.figures == all[0].figures)
        #expect(other.bits == all[0].bits)
      }
      return all[0]
    }

    /// Losses within a millionth, and weights but for rounding.
    func expect(like one: Trained, _ what: String) {
      #expect(figures.count == one.figures.count && one.figures.count > 1)
      for (mine, theirs) in zip(figures, one.figures) {
        #expect(mine.map(\.name) == theirs.map(\.name))
        for (a, b) in zip(mine, theirs) {
          #expect(abs(a.value - b.value) <= 1e-6 * max(abs(b.value), 1e-6), "\(what): \(a) of \(b)")
        }
      }
      for (name, values) in one.tensors where !name.hasPrefix("optimizer.") && !name.hasSuffix("qkv.bias") {
        let worst = zip(tensors[name] ?? [], values).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? .infinity
        #expect(worst <= 2e-5, "\(what): \(name) differs by \(worst)")
      }
    }
  }

  static let recipes = ["plain", "mixup", "pairs", "elements", "regularised", "binary", "repeated"]

  private func train(
    _ recipe: String, ranks count: Int, shards: Int? = nil, threads: Int = 1, batch: Int = 4, accumulate: Int = 1
  ) throws -> Trained {
    Trained.one(
      try ThreadLine.run(count, shards: shards) { ranks in
        let fixture = try FinetuneFixture()
        var c = fixture.configuration(.mean)
        // Later losses are of weights that rounding has moved already, which Adam makes steps of the rate.
        (c.batch, c.accumulate, c.learningRate) = (batch, accumulate, 5e-4)
        // A batch of six is of longer epochs.
        c.epochs = batch == 6 ? 2 : 3
        switch recipe {
        case "mixup": c.options.mixup = 0.8
        case "pairs": (c.options.mixup, c.options.cutmix, c.options.mixMode) = (0.8, 1, .pair)
        case "elements":
          (c.options.mixup, c.options.cutmix, c.options.mixMode) = (0.8, 1, .element)
          c.options.mixProbability = 0.8
        case "regularised": (c.dropPath, c.clip, c.ema) = (0.5, 0.5, 0.9)
        case "binary": c.options.loss = .binary
        case "repeated": c.dropPath = 0.5
        default: break
        }
        let run = try fixture.run(c, threads: threads, ranks: ranks)
        var figures: [[Figure]] = []
        let views = try fixture.views(epochs: c.epochs, repeats: recipe == "repeated" ? 2 : 1)
        _ = try run.train(on: views) {
          figures.append($0.figures)
          return false
        }
        return try Trained(figures, run.state.tensors)
      })
  }

  @Test(arguments: recipes) func lossesAreThoseOfOneProcess(_ recipe: String) throws {
    for batch in [4, 6] {
      let one = try train(recipe, ranks: 1, batch: batch)
      for count in batch == 4 ? [2, 4] : [2, 3] {
        try train(recipe, ranks: count, batch: batch).expect(like: one, "\(count) ranks, batch \(batch)")
      }
    }
  }

  @Test func partsOfRanksAddUp() throws {
    let one = try train("elements", ranks: 1, batch: 4)
    try train("elements", ranks: 2, batch: 4, accumulate: 2).expect(like: one, "2 ranks, 2 parts")
  }

  @Test(arguments: ["elements", "regularised"]) func threadsDoNotChangeABit(_ recipe: String) throws {
    let (one, three) = (try train(recipe, ranks: 2), try train(recipe, ranks: 2, threads: 3))
    #expect(one.figures == three.figures)
    #expect(one.bits == three.bits)
  }

  @Test(arguments: ["elements", "regularised", "repeated"]) func ranksDoNotChangeABitOfShards(_ recipe: String) throws {
    let one = try train(recipe, ranks: 1, shards: 6, batch: 6)
    for count in [2, 3, 6] {
      let several = try train(recipe, ranks: count, shards: 6, batch: 6)
      #expect(several.figures == one.figures, "\(count) ranks")
      #expect(several.bits == one.bits, "\(count) ranks")
    }
  }

  /// Pictures of which each chunk has others, more than one rank computes at a time.
  private static func writeViews(_ path: String, rows: Int) throws {
    let fixture = try FinetuneFixture()
    let pixels = try #require(fixture.expected["pixels"]).values(of: UInt8.self)
    let labels = try #require(fixture.expected["label"]).values(of: Int32.self)
    let size = pixels.count / labels.count
    let writer = try StreamWriter(
      path: path, kind: "views",
      metadata: [
        "recipes": #"["simple"]"#, "mean": "[0,0,0]", "std": "[1,1,1]", "epochs": "1", "rows_per_epoch": String(rows),
      ])
    for start in stride(from: 0, to: rows, by: 50) {
      let range = start..<min(start + 50, rows)
      let chosen = range.map { $0 % labels.count }
      try writer.write([
        (
          "simple",
          StoredTensor(
            chosen.flatMap { pixels[$0 * size..<($0 + 1) * size] }, shape: [range.count] + [20, 20, 3])
        ), ("index", StoredTensor(range.map(Int64.init), shape: [range.count])),
        ("label", StoredTensor(chosen.map { labels[$0] }, shape: [range.count])),
      ])
    }
    try writer.finish()
  }

  private static func views(_ path: String, _ fixture: FinetuneFixture) throws -> LabelledViews {
    try LabelledViews(
      StreamReader(path: path), preferred: [], encoder: fixture.encoder, normalisation: fixture.normalisation,
      labels: .below(7))
  }

  private static func withViews<R>(_ rows: Int, _ body: (String) throws -> R) throws -> R {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-ranks-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writeViews(path, rows: rows)
    return try body(path)
  }

  private func probe(
    _ path: String, _ rule: StepRule, _ standardising: Standardising, ranks count: Int, shards: Int? = nil,
    threads: Int = 1
  ) throws -> Trained {
    Trained.one(
      try ThreadLine.run(count, shards: shards) { ranks in
        let fixture = try FinetuneFixture()
        var c = FinetuningConfiguration<Classification>(mode: .linear, epochs: 2, learningRate: 0.01, weightDecay: 0.01)
        (c.batch, c.rule, c.standardising, c.options.labelSmoothing) = (24, rule, standardising, 0)
        c.clip = 0.5
        let engine = Engine(threads: threads, poisoning: true, ranks: ranks)
        let encoder = Encoder(fixture.encoder, engine: engine, trained: false)
        try load([Part("", encoder)], from: fixture.start, source: "the fixture")
        let probe = try LinearProbe(encoder, classes: 7, configuration: c, engine: engine)
        var figures: [[Figure]] = []
        let isComplete = try probe.train(on: Self.views(path, fixture)) {
          figures.append($0.figures)
          return false
        }
        #expect(isComplete)
        return try Trained(figures, probe.state.tensors)
      })
  }

  @Test(arguments: StepRule.allCases, Standardising.allCases)
  func aProbeIsThatOfOneProcess(rule: StepRule, standardising: Standardising) throws {
    try Self.withViews(150) { path in
      let one = try probe(path, rule, standardising, ranks: 1)
      for count in [2, 3, 4] {
        try probe(path, rule, standardising, ranks: count).expect(like: one, "\(count) ranks")
      }
      #expect(
        try probe(path, rule, standardising, ranks: 3, threads: 2).bits
          == probe(path, rule, standardising, ranks: 3).bits)
    }
  }

  @Test(arguments: StepRule.allCases) func ranksDoNotChangeABitOfAProbesShards(rule: StepRule) throws {
    try Self.withViews(150) { path in
      let one = try probe(path, rule, .set, ranks: 1, shards: 12)
      for count in [2, 3, 4] {
        let several = try probe(path, rule, .set, ranks: count, shards: 12)
        #expect(several.figures == one.figures && several.bits == one.bits, "\(count) ranks")
      }
    }
  }

  /// A rank that is told to stop while features are computed stops all.
  @Test func givingUpIsOfAll() throws {
    try Self.withViews(150) { path in
      let ends = try ThreadLine.run(2) { ranks in
        let fixture = try FinetuneFixture()
        var c = FinetuningConfiguration<Classification>(mode: .linear, epochs: 2, learningRate: 0.05, weightDecay: 0)
        c.batch = 24
        let engine = Engine(threads: 1, ranks: ranks)
        let probe = try LinearProbe(
          Encoder(fixture.encoder, engine: engine, trained: false), classes: 7, configuration: c, engine: engine)
        return try probe.train(
          on: Self.views(path, fixture), onImages: { _ in ranks.rank == 1 }, onStep: { _ in false })
      }
      #expect(ends == [false, false])
    }
  }

  /// Held-out figures have the bits of one process.
  @Test func heldOutViewsAreSharedOut() throws {
    try Self.withViews(150) { path in
      let all = try [1, 2, 3].map { count in
        try ThreadLine.run(count) { ranks in
          let fixture = try FinetuneFixture()
          let run = try fixture.run(fixture.configuration(.mean).batched(6), ranks: ranks)
          return try run.task.heldOut(path, beside: fixture.views(), engine: Engine(threads: 1, ranks: ranks))()
        }
      }.flatMap { $0 }
      #expect(all[0].count == 2)
      for figures in all { #expect(figures == all[0]) }
    }
  }

  @Test func whatCannotBeSharedIsRefused() throws {
    func message(_ count: Int, _ shards: Int?, _ body: @escaping @Sendable (Ranks) throws -> Void) -> String {
      let failure = #expect(throws: Failure.self) { _ = try ThreadLine.run(count, shards: shards, body) }
      return failure?.message ?? ""
    }
    #expect(
      message(3, nil) { _ = try FinetuneFixture().run(FinetuneFixture().configuration(.mean).batched(4), ranks: $0) }
        == "batch 4 cannot be divided among 3 shards: expected a multiple of 3")
    let text = message(2, 4) { ranks in
      var c = FinetuningConfiguration<Classification>(mode: .linear, epochs: 1, learningRate: 1, weightDecay: 0)
      (c.batch, c.standardising) = (8, .batch)
      let engine = Engine(threads: 1, ranks: ranks)
      _ = try LinearProbe(
        Encoder(FinetuneFixture().encoder, engine: engine, trained: false), classes: 7, configuration: c, engine: engine
      )
    }
    #expect(text == "--standardise batch is over the whole batch, so a rank has one shard: expected 4 ranks, not 2")
  }
}

extension FinetuningConfiguration {
  fileprivate func batched(_ batch: Int) -> FinetuningConfiguration {
    var c = self
    c.batch = batch
    return c
  }
}
