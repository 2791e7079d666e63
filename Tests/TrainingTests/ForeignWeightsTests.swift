import Autodiff
import Compute
import Foundation
import Networks
import TensorStream
import TestSupport
import Testing
import Training

/// Encoders of timm and Hugging Face, saved by these libraries, compute here what they compute there
/// (Fixtures/foreign/README.md).
@Suite struct ForeignWeightsTests {
  let expected: Record
  let engine = Engine(threads: 1, poisoning: true)

  init() throws { expected = try readTensors(path: fixture("foreign/expected.safetensors", beside: #filePath)) }

  static func path(_ name: String) -> String { fixture("foreign/" + name, beside: #filePath) }

  private func images(_ name: String) throws -> ImageBatch {
    let pixels = try #require(expected[name])
    return ImageBatch(
      pixels: try pixels.values(of: UInt8.self), count: pixels.shape[0], side: pixels.shape[1], channels: 3,
      mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])
  }

  private func compare(_ mine: Tensor, _ name: String) throws {
    let theirs = try #require(expected[name], "\(name)").values(of: Float.self)
    #expect(mine.count == theirs.count)
    let worst = zip(mine.array, theirs).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-4, "\(name): \(worst)")
  }

  private func check(_ file: WeightsFile, _ name: String, pixels: String = "pixels") throws {
    let encoder = Encoder(file.encoder, engine: engine, trained: false)
    try file.load(into: encoder)
    for pooling in [Pooling.classToken, .mean] {
      let features = FeatureExtractor(encoder, pooling: pooling)(try images(pixels), engine: engine)
      try compare(features, "\(name).\(pooling.rawValue)")
    }
    guard expected["\(name).logits"] != nil else { return }
    let head = try #require(file.head)
    let classifier = Classifier(
      encoder, classes: head.classes, pooling: head.pooling ?? .classToken, engine: engine, trained: false)
    try file.load(into: classifier)
    try compare(classifier(Tape(engine, recording: false), try images(pixels)), "\(name).logits")
  }

  @Test(arguments: [
    ("timm", nil), ("timm/model.safetensors", nil), ("float16.safetensors", 2), ("bfloat16.safetensors", 2),
    ("float64.safetensors", 2), ("no-embed-class.safetensors", 2), ("dino.safetensors", 2), ("beit.safetensors", 2),
    ("hugging-face-vit", nil), ("hugging-face-base", nil), ("hugging-face-beit", nil), ("hugging-face-dinov2", nil),
    ("hugging-face-mae", nil),
  ])
  func computesWhatItsLibraryComputes(name: String, heads: Int?) throws {
    let file = try WeightsFile(path: Self.path(name), heads: heads)
    try check(file, String(name.split(separator: "/")[0].replacing(".safetensors", with: "")))
  }

  @Test func whatFilesSayIsTaken() throws {
    let timm = try WeightsFile(path: Self.path("timm"))
    #expect(timm.encoder.layerScale && timm.encoder.positions == .learned && timm.encoder.normEpsilon == 1e-6)
    #expect(timm.head == .init(classes: 3, pooling: .classToken) && timm.normalisation?.mean == [0.5, 0.5, 0.5])
    let vit = try WeightsFile(path: Self.path("hugging-face-vit"))
    #expect(vit.classNames == ["a", "b", "c"] && vit.normalisation?.std == [0.5, 0.5, 0.5] && vit.notes.isEmpty)
    #expect(vit.encoder.normEpsilon == 1e-12 && !vit.encoder.layerScale && vit.encoder.heads == 2)
    #expect(try WeightsFile(path: Self.path("hugging-face-beit")).encoder.layerScale)
    let mae = try WeightsFile(path: Self.path("hugging-face-mae"))
    #expect(mae.encoder.positions == .sineCosine && mae.head == nil)
    #expect(mae.notes.count == 1 && mae.notes[0].contains("decoder.decoder_encoder.layer (16 tensors)"), "\(mae.notes)")
    let dino = try WeightsFile(path: Self.path("dino.safetensors"), heads: 2)
    #expect(dino.notes == ["left out: backbone.masked_embed, head.last_layer, head.mlp (2 tensors)"], "\(dino.notes)")
  }

  @Test(arguments: [
    ("registers", ["register tokens (reg_token)"]),
    ("swiglu", ["blocks.0.mlp.fc1.weight is [32, 8] and fc2.weight [8, 16]", "SwiGLU"]),
    ("distilled", ["a distillation token (dist_token)"]),
    ("relative", ["relative positions (blocks.0.attn.relative_position_bias_table and 1 more)"]),
    ("mean-first", ["a norm after the pooling (fc_norm.bias and 1 more)"]),
    ("no-class-token", ["without a class token"]),
  ])
  func whatIsBuiltOtherwiseIsRefusedByName(name: String, words: [String]) {
    let failure = #expect(throws: Failure.self) {
      try WeightsFile(path: Self.path("refused-\(name).safetensors"), heads: 2)
    }
    #expect(failure?.kind == .data)
    for word in words { #expect(failure?.message.contains(word) == true, "\(word): \(failure?.message ?? "")") }
  }

  /// Whatever becomes of one tensor, the file is taken whole or refused with its name.
  @Test(arguments: ["timm", "beit.safetensors", "dino.safetensors", "hugging-face-vit", "hugging-face-dinov2"])
  func aDamagedTensorIsAnErrorAndNoCrash(name: String) throws {
    let path = Self.path(name) + (name.hasSuffix(".safetensors") ? "" : "/model.safetensors")
    let whole = try readTensors(path: path)
    for place in whole.tensors.indices {
      let tensor = whole.tensors[place].tensor
      let others: [StoredTensor?] = [
        nil, StoredTensor([Float(1)], shape: []), StoredTensor([Float](), shape: [0]),
        StoredTensor([Float](), shape: [1, 0, 8]), StoredTensor([Float](repeating: 1, count: 7), shape: [1, 7, 1]),
        StoredTensor([Float](repeating: .nan, count: tensor.count), shape: tensor.shape),
        StoredTensor([Int32](repeating: 1, count: tensor.count), shape: tensor.shape),
        StoredTensor([Float](repeating: 1, count: tensor.count), shape: tensor.shape.reversed()),
        StoredTensor([Float](repeating: 1, count: tensor.count), shape: [tensor.count, 1]),
      ]
      for other in others {
        var record = whole
        if let other { record.tensors[place].tensor = other } else { record.tensors.remove(at: place) }
        do {
          for image in [nil, 12] {
            let file = try WeightsFile(StoredWeights(record, source: "broken", digest: ""), heads: 2, image: image)
            try file.load(into: Encoder(file.encoder, engine: engine, trained: false))
          }
        } catch let failure as Failure {
          #expect(failure.kind == .data && failure.message.hasPrefix("broken: "), "\(failure.message)")
        }
      }
    }
  }

  @Test func aConfigurationOfOtherWeightsIsRefused() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-foreign-\(UUID().uuidString)"
    try FileManager.default.copyItem(atPath: Self.path("hugging-face-vit"), toPath: folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = try String(contentsOfFile: folder + "/config.json", encoding: .utf8)
    func message(_ config: String) throws -> String {
      try config.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
      do {
        _ = try WeightsFile(path: folder)
        return "none"
      } catch let failure as Failure { return failure.message }
    }
    #expect(try message(text.replacing("\"hidden_size\": 8", with: "\"hidden_size\": 12")).contains("hidden_size 12"))
    #expect(try message(text.replacing("\"gelu\"", with: "\"quick_gelu\"")).contains("\"quick_gelu\""))
    // What is no configuration of another program's is nobody's business.
    #expect(try message("[1, 2]").contains("use --heads"))
  }

  @Test func otherSizesOfPicturesHaveThePositionsOfTheirLibrary() throws {
    let timm = try WeightsFile(path: Self.path("timm"), image: 12)
    #expect(timm.encoder.image == 12)
    #expect(timm.notes == ["image 8 to 12: learned positions were interpolated, 2 x 2 patches to 3 x 3"])
    try check(timm, "timm.larger", pixels: "larger")
    let mae = try WeightsFile(path: Self.path("hugging-face-mae"), image: 12)
    #expect(mae.notes.last == "image 8 to 12: the position table was computed for 2 x 2 patches to 3 x 3")
    try check(mae, "hugging-face-mae.larger", pixels: "larger")
    let failure = #expect(throws: Failure.self) { try WeightsFile(path: Self.path("timm"), image: 10) }
    #expect(failure?.kind == .usage && failure?.message.contains("a patch of 4 does not divide an image of 10") == true)
  }
}
