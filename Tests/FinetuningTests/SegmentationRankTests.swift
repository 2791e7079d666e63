import Autodiff
import Compute
import Finetuning
import Foundation
import Networks
import Parallel
import Ranks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// A segmentation's batch norms, losses and figures are those of the whole batch, whoever computes its parts.
@Suite struct SegmentationRankTests {
  private static let classes = MaskClasses(names: ["sky", "grass", "road"])

  /// Pictures with masks, of which each has another share of pixels that count.
  private static func withViews<R>(
    height: (Int) -> Int = { _ in 32 }, rows: Int = 12, epochs: Int = 2, _ body: (String) throws -> R
  ) throws -> R {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-ranks-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let writer = try StreamWriter(
      path: path, kind: "views",
      metadata: [
        "recipes": #"["scene"]"#, "mean": "[0.5,0.5,0.5]", "std": "[0.25,0.25,0.25]", "epochs": String(epochs),
        "rows_per_epoch": String(rows),
      ].merging(MaskClasses.metadata(classes)) { $1 })
    for row in 0..<epochs * rows {
      var random = CounterRandom(seed: 5, epoch: 0, sample: row, purpose: 0)
      let (height, width) = (height(row), 48)
      let pixels = (0..<height * width * 3).map { _ in UInt8(random.below(256)) }
      let masks = (0..<height * width).map { $0 < 40 * row ? MaskClasses.ignored : UInt8(random.below(3)) }
      try writer.write([
        ("scene", StoredTensor(pixels, shape: [1, height, width, 3])),
        ("scene.mask", StoredTensor(masks, shape: [1, height, width])),
        ("index", StoredTensor([Int64(row % rows)], shape: [1])),
      ])
    }
    try writer.finish()
    return try body(path)
  }

  private static func run(
    _ ranks: Ranks, threads: Int = 1, batch: Int = 4, _ change: (inout SegmentationOptions) -> Void = { _ in }
  ) throws -> FinetuningRun<Segmentation> {
    let sizes = EncoderConfiguration(image: 32, patch: 8, channels: 3, width: 12, depth: 2, heads: 3)
    var c = FinetuningConfiguration<Segmentation>(mode: .full, epochs: 2, learningRate: 3e-4, weightDecay: 0.05)
    c.batch = batch
    c.dropPath = 0.3
    var network = SegmentationConfiguration(classes: 3, depth: 2, width: 12)
    (network.channels, network.auxiliaryChannels) = (6, 4)
    (c.options.network, c.options.warmupSteps) = (network, 2)
    change(&c.options)
    let engine = Engine(threads: threads, poisoning: true, ranks: ranks)
    let encoder = Encoder(sizes, engine: engine, trained: true)
    initialise(encoder, seed: 1, part: 0)
    return try FinetuningRun<Segmentation>(encoder, classes: 3, configuration: c, engine: engine)
  }

  private static func views(_ path: String) throws -> MaskedViews {
    try MaskedViews(StreamReader(path: path), masks: .ofViews(patch: 8), channels: 3, normalisation: nil)
  }

  private func train(
    _ path: String, ranks count: Int, threads: Int = 1, bucket: Int = 1 << 22, average: PixelAverage = .all
  ) throws -> FinetuningRankTests.Trained {
    .one(
      try ThreadLine.run(count, bucket: bucket) { ranks in
        let run = try Self.run(ranks, threads: threads) { $0.average = average }
        var figures: [[Figure]] = []
        _ = try run.train(on: Self.views(path)) {
          figures.append($0.figures)
          return false
        }
        return try .init(figures, run.state.tensors)
      })
  }

  @Test(arguments: PixelAverage.allCases) func lossesAreThoseOfOneProcess(average: PixelAverage) throws {
    try Self.withViews { path in
      let one = try train(path, ranks: 1, average: average)
      for count in [2, 4] {
        let several = try train(path, ranks: count, average: average)
        #expect(several.figures.count == 6 && one.figures.count == 6)
        for (mine, theirs) in zip(several.figures, one.figures) {
          for (a, b) in zip(mine, theirs) where a.name.hasPrefix("loss") || a.name == "lr" {
            #expect(abs(a.value - b.value) <= 1e-6 * abs(b.value), "\(count) ranks: \(a) of \(b)")
          }
        }
        // Before a weight has moved, what is said of each pixel is the same.
        #expect(abs(several.figures[0].accuracy - one.figures[0].accuracy) < 1e-12)
        for (name, values) in one.tensors where name.contains("running_") && isKnown(name) {
          for (a, b) in zip(several.tensors[name] ?? [], values) {
            #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(name)")
          }
        }
      }
    }
  }

  /// The others follow biases that no gradient reaches but rounding, which Adam makes into whole steps.
  private func isKnown(_ name: String) -> Bool {
    ![
      "pyramid.up4.1.running_mean", "head.lateral.0.1.running_mean", "head.lateral.1.1.running_mean",
    ].contains(name)
  }

  @Test func threadsDoNotChangeABit() throws {
    try Self.withViews { path in
      let (one, three) = (try train(path, ranks: 2), try train(path, ranks: 2, threads: 3))
      #expect(one.figures == three.figures)
      #expect(one.bits == three.bits)
    }
  }

  @Test func bucketsDoNotChangeABit() throws {
    try Self.withViews { path in
      let (one, many) = (try train(path, ranks: 2), try train(path, ranks: 2, bucket: 1000))
      #expect(one.figures == many.figures)
      #expect(one.bits == many.bits)
    }
  }

  @Test func heldOutPicturesAreSharedOut() throws {
    try Self.withViews(epochs: 1) { path in
      let all = try [1, 2, 3].map { count in
        try ThreadLine.run(count) { ranks in
          let run = try Self.run(ranks, batch: 6)
          return try run.task.heldOut(path, beside: Self.views(path), engine: Engine(threads: 1, ranks: ranks))()
        }
      }.flatMap { $0 }
      #expect(all[0].map(\.name) == ["mIoU", "mAcc", "aAcc"])
      for figures in all { #expect(figures == all[0]) }
    }
  }

  /// Views of one size on each rank, but not on all.
  @Test func sizesAreThoseOfTheBatch() throws {
    try Self.withViews(height: { $0 % 4 < 2 ? 32 : 40 }) { path in
      let failure = #expect(throws: Failure.self) {
        _ = try ThreadLine.run(2) { ranks in try Self.run(ranks).train(on: Self.views(path)) { _ in false }.isComplete }
      }
      #expect(
        failure?.message.contains("ranks have views of 32 × 48 and 40 × 48: a batch needs pictures of one size") == true
      )
    }
  }

  @Test func aRankHasOneShard() throws {
    let failure = #expect(throws: Failure.self) { _ = try ThreadLine.run(2, shards: 4) { _ = try Self.run($0) } }
    #expect(
      failure?.message
        == "--task segment normalises over the whole batch, so a rank has one shard: expected 4 ranks, not 2")
  }
}

extension [Figure] {
  fileprivate var accuracy: Double { first { $0.name == "accuracy" }?.value ?? .nan }
}
