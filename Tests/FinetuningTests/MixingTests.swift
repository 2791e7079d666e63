import Compute
import Finetuning
import Foundation
import Networks
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// mixup and CutMix against timm's, with what timm drew: Tests/Fixtures/timm/mixing.py.
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
    #expect(largestDistance(input.values.values, expected) < 1e-6)
  }

  private func expectTargets(_ share: Double, are name: String) throws {
    let targets = smoothedLabels(labels, mixed: (labels.reversed(), share), classes: 5, smoothing: 0.1, engine: engine)
    #expect(largestDistance(targets.values.values, try floats("\(name).targets")) < 1e-6)
  }

  @Test(arguments: 0..<3) func mixupIsTimms(seed: Int) throws {
    let share = try double("mixup.\(seed).share")
    try expect(images.blended(with: images.reversedPixels, share: Float(share)), are: "mixup.\(seed)")
    try expectTargets(share, are: "mixup.\(seed)")
  }

  @Test(arguments: 0..<8) func cutMixIsTimms(seed: Int) throws {
    let place = try integers("cutmix.\(seed).place")
    let box = Mixing.box(share: try double("cutmix.\(seed).drawn"), side: Self.side, row: place[0], column: place[1])
    let edges = try integers("cutmix.\(seed).box")
    #expect(box.rows == edges[0]..<edges[1] && box.columns == edges[2]..<edges[3])
    let share = 1 - Double(box.area) / Double(Self.side * Self.side)
    #expect(abs(share - (try double("cutmix.\(seed).share"))) < 1e-12)
    try expect(images.pasted(images.reversedPixels, in: box), are: "cutmix.\(seed)")
    try expectTargets(share, are: "cutmix.\(seed)")
  }

  /// Mean 1/2 and variance 1 / (4 (2α + 1)); a share is its own area where a box was cut.
  @Test(arguments: [0.2, 0.8, 1, 3]) func sharesAreBeta(alpha: Double) {
    let count = 20_000
    let shares = (0..<count).compactMap {
      Mixing(mixup: alpha, cutmix: nil).draw(seed: 1, epoch: 0, step: $0, side: 32)?.share
    }
    #expect(shares.count == count && shares.allSatisfy { (0...1).contains($0) })
    let mean = shares.reduce(0, +) / Double(count)
    let variance = shares.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(count)
    #expect(abs(mean - 0.5) < 0.01)
    #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.004)
  }

  @Test func bothKindsAreInHalfOfTheBatches() throws {
    let both = Mixing(mixup: 0.8, cutmix: 1)
    let drawn = (0..<4000).compactMap { both.draw(seed: 3, epoch: 1, step: $0, side: 16) }
    let cuts = drawn.compactMap { draw in draw.box.map { (draw.share, $0) } }
    #expect(drawn.count == 4000 && (1850...2150).contains(cuts.count))
    #expect(cuts.allSatisfy { share, box in share == 1 - Double(box.area) / 256 })
    #expect(both.draw(seed: 3, epoch: 1, step: 7, side: 16) == drawn[7])
    #expect(Mixing(mixup: nil, cutmix: nil).draw(seed: 0, epoch: 0, step: 0, side: 16) == nil)
    #expect(
      (0..<50).allSatisfy { Mixing(mixup: nil, cutmix: 1).draw(seed: 0, epoch: 0, step: $0, side: 9)?.box != nil })
  }

  /// A batch in parts is mixed as a whole one, and mixing changes what is learnt.
  @Test func partsDecideNothing() throws {
    let fixture = try FinetuneFixture()
    func losses(_ change: (inout FinetuningConfiguration) -> Void) throws -> [Double] {
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
    for mix in [Mixing(mixup: 0.8, cutmix: nil), Mixing(mixup: nil, cutmix: 1), Mixing(mixup: 0.8, cutmix: 1)] {
      let whole = try losses { ($0.mixup, $0.cutmix) = (mix.mixup, mix.cutmix) }
      let parts = try losses { ($0.mixup, $0.cutmix, $0.accumulate) = (mix.mixup, mix.cutmix, 2) }
      #expect(whole.count == 6 && whole != without)
      for (a, b) in zip(whole, parts) { #expect(abs(a - b) < 1e-5 * a) }
    }
  }
}
