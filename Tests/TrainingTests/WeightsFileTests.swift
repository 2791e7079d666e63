import Compute
import Foundation
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

@Suite struct WeightsFileTests {
  private let configuration = EncoderConfiguration(
    image: 12, patch: 4, channels: 1, width: 8, depth: 3, heads: 2, mlpRatio: 3)

  private func withFile<R>(
    _ tensors: [NamedTensor], _ metadata: [String: String], _ body: (String) throws -> R
  ) throws -> R {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-weights-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writeSafetensors(path: path, metadata: metadata, tensors: tensors)
    return try body(path)
  }

  private func encoderTensors() -> [NamedTensor] {
    let encoder = Encoder(configuration, engine: Engine(threads: 1, poisoning: true), trained: false)
    initialise(encoder, seed: 1, part: 0)
    return storedTensors([Part("", encoder)])
  }

  @Test func aPlainFileShowsItsShapeButNotItsHeads() throws {
    try withFile(encoderTensors(), [:]) { path in
      let file = try WeightsFile(path: path, heads: 2)
      #expect(file.encoder == configuration)
      let failure = #expect(throws: Failure.self) { try WeightsFile(path: path) }
      #expect(failure?.kind == .usage)
      #expect(failure?.message.contains("--heads") == true)
    }
  }

  @Test func headsMustNotContradictTheFile() throws {
    try withFile(encoderTensors(), WeightsFile.metadata(encoder: configuration, normalisation: nil)) { path in
      let file = try WeightsFile(path: path)
      #expect(file.encoder == configuration)
      #expect(throws: Failure.self) { try WeightsFile(path: path, heads: 4) }
    }
  }

  @Test func metadataComeBack() throws {
    let normalisation = Normalisation(mean: [0.25], std: [0.5])
    let metadata = try WeightsFile.metadata(
      encoder: configuration, head: .init(classes: 3, pooling: .mean), normalisation: normalisation,
      classNames: ["a", "b", "c"])
    try withFile(encoderTensors(), metadata) { path in
      let file = try WeightsFile(path: path)
      #expect(file.head == .init(classes: 3, pooling: .mean))
      #expect(file.normalisation == normalisation)
      #expect(file.classNames == ["a", "b", "c"])
    }
  }

  /// A claim is held against what the file holds before memory is taken for it.
  @Test func anAbsurdClaimIsAnError() throws {
    var absurd = configuration
    (absurd.width, absurd.depth) = (32768, 1024)
    try withFile(encoderTensors(), WeightsFile.metadata(encoder: absurd, normalisation: nil)) { path in
      let failure = #expect(throws: Failure.self) { try WeightsFile(path: path) }
      #expect(failure?.kind == .data)
    }
  }

  @Test func theHeadOfAModelIsLeftOutOfItsEncoder() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let classifier = Classifier(
      Encoder(configuration, engine: engine, trained: false), classes: 5, pooling: .classToken, engine: engine,
      trained: false)
    let metadata = try WeightsFile.metadata(
      encoder: configuration, head: .init(classes: 5, pooling: .classToken), normalisation: nil)
    try withFile(storedTensors([Part("", classifier)]), metadata) { path in
      try WeightsFile(path: path).load(into: Encoder(configuration, engine: engine, trained: false))
      try WeightsFile(path: path).load(into: classifier)
    }
    // A head is a head where the file does not say so, too; what it is on is not known then.
    for metadata in [[:], try WeightsFile.metadata(encoder: configuration, normalisation: nil)] {
      try withFile(storedTensors([Part("", classifier)]), metadata) { path in
        let file = try WeightsFile(path: path, heads: 2)
        #expect(file.head == .init(classes: 5, pooling: nil))
        try file.load(into: Encoder(configuration, engine: engine, trained: false))
        try file.load(into: classifier)
      }
    }
    try withFile(storedTensors([Part("", classifier)]).filter { $0.name != "head.weight" }, [:]) { path in
      let failure = #expect(throws: Failure.self) {
        try WeightsFile(path: path, heads: 2).load(into: Encoder(configuration, engine: engine, trained: false))
      }
      #expect(failure?.message.contains("not expected: head.bias") == true)
    }
    let odd: [NamedTensor] =
      encoderTensors() + [("head.weight", StoredTensor([Float](repeating: 0, count: 8), shape: [8]))]
    try withFile(odd, [:]) { path in
      let failure = #expect(throws: Failure.self) { try WeightsFile(path: path, heads: 2) }
      #expect(failure?.message.hasSuffix("head.weight is [8], expected [classes, width]") == true)
    }
  }

  @Test func classNamesMayBeNumbersButNotOthers() throws {
    try requireSameClasses(["shoe", "bag"], of: "a", ["shoe", "bag", "hat"], of: "b")
    try requireSameClasses(["shoe", "bag"], of: "a", ["0", "1"], of: "b")
    try requireSameClasses(nil, of: "a", ["shoe"], of: "b")
    let failure = #expect(throws: Failure.self) {
      try requireSameClasses(["shoe", "bag"], of: "a", ["shoe", "hat"], of: "b")
    }
    let expected = "b: class 1 is \"hat\", but that of a is \"bag\": pack both with the same classes"
    #expect(failure?.message.hasPrefix(expected) == true)
  }

  /// Folders of numbers are sorted as text, from where they begin; a list of numbers has each at its own place.
  @Test(arguments: [
    (["1", "2", "3"], ["0", "1", "2", "3"]), (["0", "1", "10", "2"], ["0", "1", "2"]), (["01"], ["0", "1"]),
  ])
  func numbersAtOtherPlacesAreOtherClasses(_ first: [String], _ second: [String]) throws {
    #expect(throws: Failure.self) { try requireSameClasses(first, of: "a", second, of: "b") }
    #expect(throws: Failure.self) { try requireSameClasses(second, of: "a", first, of: "b") }
  }
}
