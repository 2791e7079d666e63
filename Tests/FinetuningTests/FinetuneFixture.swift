import Compute
import Finetuning
import Foundation
import Networks
import Ranks
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// What timm's model does under PyTorch's AdamW: see Tests/Fixtures/timm/README.md.
struct FinetuneFixture {
  static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures/timm/"
  static let rowsPerEpoch = 8

  let start: Record
  let expected: Record
  let encoder: EncoderConfiguration
  let normalisation: Normalisation

  init() throws {
    let checkpoint = try readTensors(path: Self.folder + "checkpoint.stz", kinds: ["checkpoint"])
    let prefix = "labelling_teacher."
    start = Record(
      tensors: checkpoint.tensors.filter { $0.name.hasPrefix(prefix) }.map {
        (name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor)
      })
    expected = try readTensors(path: Self.folder + "finetune.safetensors")
    encoder = EncoderConfiguration(image: 20, patch: 5, channels: 3, width: 12, depth: 2, heads: 3)
    normalisation = try #require(try Normalisation(of: checkpoint, source: "checkpoint.stz"))
  }

  func values(_ name: String) throws -> [Float] {
    guard let tensor = expected[name] else { throw Failure(.data, "the fixture has no \(name)") }
    return try tensor.values(of: Float.self)
  }

  /// The fixture's pictures as views of three epochs, in records that do not end where batches do.
  /// - Parameter repeats: views of a picture in a row.
  func views(epochs: Int = 3, repeats: Int = 1) throws -> LabelledViews {
    guard let pixels = try expected["pixels"]?.values(of: UInt8.self),
      let labels = try expected["label"]?.values(of: Int32.self)
    else { throw Failure(.data, "the fixture has no pictures") }
    let path = FileManager.default.temporaryDirectory.path + "/pmae-finetune-\(UUID().uuidString).stz"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let rows = Self.rowsPerEpoch * 3 / epochs
    let writer = try StreamWriter(
      path: path, kind: "views",
      metadata: [
        "recipes": #"["simple"]"#, "mean": "[0,0,0]", "std": "[1,1,1]", "epochs": String(epochs),
        "rows_per_epoch": String(rows),
      ])
    let size = encoder.image * encoder.image * 3
    for epoch in 0..<epochs {
      for part in [0..<5, 5..<rows] {
        let range = epoch * rows + part.lowerBound..<epoch * rows + part.upperBound
        try writer.write([
          (
            "simple",
            StoredTensor(
              Array(pixels[range.lowerBound * size..<range.upperBound * size]),
              shape: [range.count, encoder.image, encoder.image, 3])
          ),
          ("index", StoredTensor(range.map { Int64($0 % rows / repeats) }, shape: [range.count])),
          ("label", StoredTensor(Array(labels[range]), shape: [range.count])),
        ])
      }
    }
    try writer.finish()
    return try LabelledViews(
      StreamReader(path: path), preferred: [], encoder: encoder, normalisation: normalisation, labels: .below(7))
  }

  func configuration(_ pooling: Pooling) -> FinetuningConfiguration<Classification> {
    var c = FinetuningConfiguration<Classification>(mode: .full, epochs: 3, learningRate: 2e-3, weightDecay: 0.05)
    c.options.pooling = pooling
    c.batch = 3
    c.layerDecay = 0.75
    c.warmupEpochs = 1
    return c
  }

  /// A run with the fixture's encoder and head.
  func run(
    _ configuration: FinetuningConfiguration<Classification>, threads: Int = 1, ranks: Ranks = Ranks()
  ) throws -> FinetuningRun<Classification> {
    let engine = Engine(threads: threads, poisoning: true, ranks: ranks)
    let network = Encoder(encoder, engine: engine, trained: true)
    let run = try FinetuningRun<Classification>(network, classes: 7, configuration: configuration, engine: engine)
    let head = expected.tensors.filter { $0.name.hasPrefix("head.") }
    try load([Part("", run.task.classifier)], from: Record(tensors: start.tensors + head), source: "the fixture")
    return run
  }
}
