import Autodiff
import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// See Tests/Fixtures/timm/README.md.
private let fixtures =
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/timm/"

private func temporary(_ name: String) -> String {
  FileManager.default.temporaryDirectory.path + "/pmae-networks-\(UUID().uuidString)-\(name)"
}

/// An exported encoder is what timm loaded with strict=True, and computes what timm computes.
@Suite struct TimmTests {
  let checkpoint: Record
  let expected: Record

  init() throws {
    checkpoint = try readTensors(path: fixtures + "checkpoint.stz", kinds: ["checkpoint"])
    expected = try readTensors(path: fixtures + "features.safetensors")
  }

  @Test func exportedWeightsAreTimmsStateDictionary() throws {
    let exported = try RunEncoder(CheckpointFile(checkpoint, path: "checkpoint"), part: "labelling-teacher")
    let theirs = expected.tensors.filter { $0.name.hasPrefix("weights.") }
    #expect(Set(exported.tensors.map(\.name)) == Set(theirs.map { String($0.name.dropFirst("weights.".count)) }))
    for (name, tensor) in exported.tensors {
      let other = try #require(expected["weights." + name])
      #expect(tensor.shape == other.shape, "\(name)")
      #expect(try tensor.values(of: Float.self) == other.values(of: Float.self), "\(name)")
    }
  }

  @Test(arguments: [".stz", ".safetensors"], [Pooling.classToken, .mean])
  func featuresAreTimms(suffix: String, pooling: Pooling) throws {
    let exported = try RunEncoder(CheckpointFile(checkpoint, path: "checkpoint"), part: "labelling-teacher")
    let path = temporary("encoder" + suffix)
    defer { try? FileManager.default.removeItem(atPath: path) }
    if suffix == ".stz" {
      try StreamWriter.writeOneRecord(
        path: path, kind: "weights", metadata: exported.metadata, tensors: exported.tensors)
    } else {
      try writeSafetensors(path: path, metadata: exported.metadata, tensors: exported.tensors)
    }
    let file = try WeightsFile(path: path)
    let engine = Engine(threads: 1, poisoning: true)
    let encoder = Encoder(file.encoder, engine: engine, trained: false)
    try file.load(into: encoder)
    let normalisation = try #require(file.normalisation)
    let pixels = try #require(expected["pixels"])
    let images = ImageBatch(
      pixels: try pixels.values(of: UInt8.self), count: pixels.shape[0], side: pixels.shape[1], channels: 3,
      mean: normalisation.mean.map { Float($0) }, std: normalisation.std.map { Float($0) })
    let features = FeatureExtractor(encoder, pooling: pooling)(images, engine: engine)
    let theirs = try #require(expected[pooling.rawValue]).values(of: Float.self)
    #expect(features.count == theirs.count)
    for i in 0..<features.count { #expect(abs(features.values[i] - theirs[i]) < 1e-4) }
  }

  @Test func eachPartIsItself() throws {
    let parts = try PseudoMAE.encoders.map { part in
      let encoder = try RunEncoder(CheckpointFile(checkpoint, path: "c"), part: part.name)
      return try #require(encoder.tensors.first { $0.name == "blocks.1.mlp.fc2.weight" }).tensor.values(of: Float.self)
    }
    #expect(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2])
  }

  @Test func aPartThatIsNotThereNamesThoseThatAre() throws {
    let mae = Record(
      metadata: checkpoint.metadata, tensors: checkpoint.tensors.filter { !$0.name.contains("teacher") })
    let failure = #expect(throws: Failure.self) {
      try RunEncoder(CheckpointFile(mae, path: "run/checkpoint.stz"), part: "labelling-teacher")
    }
    #expect(failure?.message.contains("run/checkpoint.stz: has no labelling-teacher, only student") == true)
    #expect(failure?.kind == .data)
  }

  @Test func everyTensorThatDoesNotFitIsNamed() throws {
    let gone = ["student.norm.bias", "student.blocks.0.norm1.bias"]
    var tensors = checkpoint.tensors.filter { !gone.contains($0.name) }
    let place = try #require(tensors.firstIndex { $0.name == "student.cls_token" })
    tensors[place].tensor = StoredTensor([Float](repeating: 0, count: 13), shape: [1, 1, 13])
    tensors.append(("student.surprise", StoredTensor([Float(0)], shape: [1])))
    let failure = #expect(throws: Failure.self) {
      try RunEncoder(
        CheckpointFile(Record(metadata: checkpoint.metadata, tensors: tensors), path: "c"), part: "student")
    }
    for word in gone + ["student.surprise", "[1, 1, 13]", "[1, 1, 12]"] {
      #expect(failure?.message.contains(word) == true, "\(word)")
    }
  }
}
