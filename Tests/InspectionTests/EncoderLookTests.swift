import Compute
import Foundation
import Inspection
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// Where a class token looks, and what its patches' features vary in, as timm and numpy have it (Tests/Fixtures/timm/look.py).
@Suite struct LookTests {
  let look: EncoderLook
  let expected: Record

  init() throws {
    let fixtures =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/timm/"
    let checkpoint = try readTensors(path: fixtures + "checkpoint.stz", kinds: ["checkpoint"])
    let pixels = try #require(try readTensors(path: fixtures + "features.safetensors")["pixels"])
    expected = try readTensors(path: fixtures + "look.safetensors")
    let record = try RunEncoder(CheckpointFile(checkpoint, path: "checkpoint"), part: "labelling-teacher")
    let path = FileManager.default.temporaryDirectory.path + "/pmae-look-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try StreamWriter.writeOneRecord(path: path, kind: "weights", metadata: record.metadata, tensors: record.tensors)
    let file = try WeightsFile(path: path)
    let engine = Engine(threads: 2, poisoning: true)
    let encoder = Encoder(file.encoder, engine: engine, trained: false)
    try file.load(into: encoder)
    let normalisation = try #require(file.normalisation)
    let images = ImageBatch(
      pixels: try pixels.values(of: UInt8.self), count: pixels.shape[0], side: pixels.shape[1], channels: 3,
      mean: normalisation.mean.map { Float($0) }, std: normalisation.std.map { Float($0) })
    look = encoder.look(at: images, engine: engine)
  }

  @Test func attentionIsTimms() throws {
    let theirs = try #require(expected["attention"])
    #expect(theirs.shape == [6, look.heads, look.tokensPerImage])
    let values = try theirs.values(of: Float.self)
    #expect(look.attention.count == values.count)
    #expect(zip(look.attention, values).allSatisfy { abs($0 - $1) < 1e-5 })
    // Not the same everywhere, or nothing would be compared.
    #expect((values.max() ?? 0) > 1.2 * (values.min() ?? 1))
  }

  @Test func attentionSumsToOne() {
    for row in 0..<look.attention.count / look.tokensPerImage {
      let sum = look.attention[row * look.tokensPerImage..<(row + 1) * look.tokensPerImage].reduce(0, +)
      #expect(abs(sum - 1) < 1e-5)
    }
    let patches = look.patchAttention(image: 1, head: 2)
    #expect(patches.count == look.tokensPerImage - 1)
    #expect(Array(patches) == Array(look.attention[(5 * look.tokensPerImage + 1)..<6 * look.tokensPerImage]))
  }

  @Test func tokensAreTimms() throws {
    let theirs = try #require(expected["tokens"]).values(of: Float.self)
    #expect(look.tokens.count == theirs.count)
    for r in 0..<look.tokens.rows {
      for c in 0..<look.tokens.columns {
        #expect(abs(look.tokens.row(r)[c] - theirs[r * look.tokens.columns + c]) < 1e-4)
      }
    }
  }

  @Test func componentsAreNumpys() throws {
    let features = (0..<6).flatMap { look.patchFeatures(image: $0) }
    let mine = try #require(principalComponents(features, count: 3))
    let theirs = try #require(expected["components"])
    #expect(theirs.shape == [mine.count, 3])
    #expect(zip(mine.flatMap { $0 }, try theirs.values(of: Double.self)).allSatisfy { abs($0 - $1) < 1e-3 })
  }

  /// What a person can check: points on a line through space vary in one direction alone.
  @Test func aLineHasOneComponent() throws {
    let line = (0..<5).map { t in [Float(t), 2 * Float(t), -2 * Float(t), 7] }
    let found = try #require(principalComponents(line, count: 3))
    for (t, row) in found.enumerated() {
      // Its greatest weight is that of the second or third dimension, ±2/3: the sign follows from that one.
      #expect(abs(abs(row[0]) - 3 * abs(Double(t) - 2)) < 1e-9)
      #expect(abs(row[1]) < 1e-9 && abs(row[2]) < 1e-9)
    }
    #expect(try #require(principalComponents([[1, 2]], count: 3)) == [[0, 0, 0]])
    #expect(principalComponents([[1, .nan], [2, 3]], count: 1) == nil)
  }
}
