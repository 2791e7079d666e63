import Compute
import Finetuning
import Foundation
import Networks
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// mixup and CutMix against timm's, with what timm drew: Tests/Fixtures/timm/mixing.py and mixing_modes.py.
@Suite struct MixingTests {
  let theirs: Record
  let pixels: [UInt8]
  let labels: [Int32]
  let images: ImageBatch
  let engine = Engine(threads: 2, poisoning: true)
  static let side = 12

  init() throws {
    theirs = try readTensors(path: FinetuneFixture.folder + "mixing.safetensors")
    pixels = try #require(theirs["pixels"]).values(of: UInt8.self)
    labels = try #require(theirs["labels"]).values(of: Int32.self)
    images = ImageBatch(
      pixels: pixels, count: labels.count, side: Self.side, channels: 3, mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3])
  }

  private func floats(_ name: String) throws -> [Float] { try #require(theirs[name]).values(of: Float.self) }
  private func double(_ name: String) throws -> Double { try #require(theirs[name]).values(of: Double.self)[0] }
  private func integers(_ name: String) throws -> [Int] {
    try #require(theirs[name]).values(of: Int32.self).map { Int($0) }
  }

  private func largestDistance(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  /// As a network gets them, one patch an image: [B, C · H · W].
  private func expect(_ mixed: ImageBatch, are name: String) throws {
    let input = patchRows(mixed, ids: [Int32](repeating: 0, count: mixed.count), patch: Self.side, engine: engine)
    let expected = try floats("\(name).images")
    #expect(input.count == expected.count)
    #expect(largestDistance(input.values.array, expected) < 1e-6)
  }

  private func expectTargets(_ mixes: [ImageMix], are name: String) throws {
    let own = ClassTargets(labels: labels)
    let targets = own.mixed(with: own, by: mixes).tensor(classes: 5, smoothing: 0.1, engine: engine)
    #expect(largestDistance(targets.values.array, try floats("\(name).targets")) < 1e-6)
  }

  @Test(arguments: 0..<3) func mixupIsTimms(seed: Int) throws {
    let share = try double("mixup.\(seed).share")
    let mixes = labels.map { _ in ImageMix(share: share, box: nil) }
    try expect(images.mixed(with: images.reversedPixels, by: mixes), are: "mixup.\(seed)")
    try expectTargets(mixes, are: "mixup.\(seed)")
  }

  @Test(arguments: 0..<8) func cutMixIsTimms(seed: Int) throws {
    let place = try integers("cutmix.\(seed).place")
    let box = Mixing.box(share: try double("cutmix.\(seed).drawn"), side: Self.side, row: place[0], column: place[1])
    let edges = try integers("cutmix.\(seed).box")
    #expect(box.rows == edges[0]..<edges[1] && box.columns == edges[2]..<edges[3])
    let share = 1 - Double(box.area) / Double(Self.side * Self.side)
    #expect(abs(share - (try double("cutmix.\(seed).share"))) < 1e-12)
    let mixes = labels.map { _ in ImageMix(share: share, box: box) }
    try expect(images.mixed(with: images.reversedPixels, by: mixes), are: "cutmix.\(seed)")
    try expectTargets(mixes, are: "cutmix.\(seed)")
  }

  /// Each pair, or each image, by what was drawn for it, and some not at all.
  @Test(arguments: ["pair", "elem"], 0..<4) func modesAreTimms(mode: String, seed: Int) throws {
    let theirs = try readTensors(path: FinetuneFixture.folder + "mixing-modes.safetensors")
    func tensor(_ name: String) throws -> StoredTensor { try #require(theirs[name]) }
    let name = "\(mode).\(seed)"
    let edges = try tensor("\(name).boxes").values(of: Int32.self).map { Int($0) }
    let mixes = try tensor("\(name).shares").values(of: Double.self).enumerated().map { i, share in
      let e = edges[4 * i..<4 * i + 4].map { $0 }
      let box = e[0] < 0 ? nil : PixelBox(rows: e[0]..<e[1], columns: e[2]..<e[3])
      return ImageMix(share: share, box: box)
    }
    let labels = try tensor("labels").values(of: Int32.self)
    let images = ImageBatch(
      pixels: try tensor("pixels").values(of: UInt8.self), count: labels.count, side: Self.side, channels: 3,
      mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3])
    let mixed = images.mixed(with: images.reversedPixels, by: mixes)
    let input = patchRows(mixed, ids: [Int32](repeating: 0, count: mixed.count), patch: Self.side, engine: engine)
    #expect(largestDistance(input.values.array, try tensor("\(name).images").values(of: Float.self)) < 2e-6)
    let own = ClassTargets(labels: labels)
    let targets = own.mixed(with: own, by: mixes).tensor(classes: 5, smoothing: 0.1, engine: engine)
    #expect(largestDistance(targets.values.array, try tensor("\(name).targets").values(of: Float.self)) < 1e-6)
  }

  /// One draw for a batch, one for a pair, one for an image; and as many images as are to be mixed.
  @Test func modesDrawForTheirImages() throws {
    func draws(_ mode: Mixing.Mode, _ probability: Double = 1, _ switches: Double = 0.5) throws -> [[ImageMix]] {
      var mixing = Mixing(mixup: 0.8, cutmix: 1)
      (mixing.mode, mixing.probability, mixing.switchProbability) = (mode, probability, switches)
      return (0..<400).map {
        mixing.draw(seed: 1, epoch: 0, step: $0, count: 7, side: 32) ?? Array(repeating: .unmixed, count: 7)
      }
    }
    #expect(try draws(.batch).allSatisfy { mixes in mixes.allSatisfy { $0 == mixes[0] } })
    #expect(
      try draws(.pair).allSatisfy { mixes in
        mixes == mixes.reversed() && mixes[3] == .unmixed && mixes[0] != mixes[1] && mixes[1] != mixes[2]
      })
    // Two images may be left as they are by chance, of boxes without an area.
    #expect(try draws(.element).count { mixes in zip(mixes, mixes.dropFirst()).contains { $0 == $1 } } < 20)
    for mode in Mixing.Mode.allCases {
      let mixed = try draws(mode, 0.25).flatMap { $0.prefix(3) }.filter { $0 != .unmixed }.count
      #expect((200...400).contains(mixed), "\(mode): a quarter of 1200")
      let cuts = try draws(mode, 1, 0.2).flatMap { $0.prefix(3) }.filter { $0.box != nil }.count
      #expect((140...340).contains(cuts), "\(mode): a fifth of 1200")
    }
  }

  /// Mean 1/2 and variance 1 / (4 (2α + 1)); a share is its own area where a box was cut.
  @Test(arguments: [0.2, 0.8, 1, 3]) func sharesAreBeta(alpha: Double) {
    let count = 20_000
    // Where a share is all of an image, nothing is done.
    let shares = (0..<count).map {
      Mixing(mixup: alpha, cutmix: nil).draw(seed: 1, epoch: 0, step: $0, count: 1, side: 32)?[0].share ?? 1
    }
    #expect(shares.count == count && shares.allSatisfy { (0...1).contains($0) })
    let mean = shares.reduce(0, +) / Double(count)
    let variance = shares.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(count)
    #expect(abs(mean - 0.5) < 0.01)
    #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.004)
  }

  @Test func bothKindsAreInHalfOfTheBatches() throws {
    let both = Mixing(mixup: 0.8, cutmix: 1)
    let drawn = (0..<4000).compactMap { both.draw(seed: 3, epoch: 1, step: $0, count: 1, side: 16)?[0] }
    let cuts = drawn.compactMap { draw in draw.box.map { (draw.share, $0) } }
    #expect(drawn.count == 4000 && (1850...2150).contains(cuts.count))
    #expect(cuts.allSatisfy { share, box in share == 1 - Double(box.area) / 256 })
    #expect(both.draw(seed: 3, epoch: 1, step: 7, count: 1, side: 16) == [drawn[7]])
    #expect(Mixing(mixup: nil, cutmix: nil).draw(seed: 0, epoch: 0, step: 0, count: 4, side: 16) == nil)
    #expect(
      (0..<50).allSatisfy {
        // A share of next to 1 cuts nothing.
        let mixes = Mixing(mixup: nil, cutmix: 1).draw(seed: 0, epoch: 0, step: $0, count: 1, side: 9)
        return mixes?[0].box != nil
      })
  }

  /// A batch in parts is mixed as a whole one, and mixing changes what is learnt.
  @Test func partsDecideNothing() throws {
    let fixture = try FinetuneFixture()
    func losses(_ change: (inout FinetuningConfiguration<Classification>) -> Void) throws -> [Double] {
      var c = fixture.configuration(.mean)
      c.batch = 4
      change(&c)
      var losses: [Double] = []
      _ = try fixture.run(c).train(on: fixture.views()) {
        losses.append($0.loss)
        return false
      }
      return losses
    }
    let without = try losses { _ in }
    let kinds: [(mixup: Double?, cutmix: Double?, mode: Mixing.Mode)] = [
      (0.8, nil, .batch), (nil, 1, .batch), (0.8, 1, .batch), (0.8, 1, .pair), (0.8, 1, .element),
    ]
    for kind in kinds {
      let whole = try losses { ($0.options.mixup, $0.options.cutmix, $0.options.mixMode) = kind }
      let parts = try losses {
        ($0.options.mixup, $0.options.cutmix, $0.options.mixMode) = kind
        $0.accumulate = 2
      }
      #expect(whole.count == 6 && whole != without)
      for (a, b) in zip(whole, parts) { #expect(abs(a - b) < 1e-5 * a) }
    }
  }
}
