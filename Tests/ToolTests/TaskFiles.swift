import Foundation
import TensorStream

/// A small encoder and pictures for the tools that use one, from Tests/Fixtures/timm (see the README there).
enum TaskFiles {
  static let fixtures = ToolRunner.checkout + "/Tests/Fixtures/timm/"
  static let checkpoint = fixtures + "checkpoint.stz"

  /// The fixture's 24 labelled pictures as views: an epoch of `simple` each 24 / epochs rows.
  /// - Parameter change: changes the metadata and the tensors of a record.
  static func writeViews(
    _ path: String, epochs: Int = 1, recipe: String = "simple",
    change: (inout [String: String], inout [NamedTensor]) -> Void = { _, _ in }
  ) throws {
    let record = try readTensors(path: fixtures + "finetune.safetensors")
    let checkpoint = try readTensors(path: checkpoint, kinds: ["checkpoint"])
    guard let pixels = record["pixels"], let labels = record["label"] else {
      throw RunnerError(description: "the fixture has no pictures")
    }
    let rows = pixels.shape[0] / epochs
    let size = pixels.shape[1] * pixels.shape[1] * 3
    let (bytes, numbers) = (try pixels.values(of: UInt8.self), try labels.values(of: Int32.self))
    var metadata: [String: String] = [
      "recipes": "[\"\(recipe)\"]", "mean": checkpoint.metadata["mean"] ?? "", "std": checkpoint.metadata["std"] ?? "",
      "epochs": String(epochs), "rows_per_epoch": String(rows), "classes": #"["a","b","c","d","e","f","g"]"#,
    ]
    var records: [[NamedTensor]] = []
    for epoch in 0..<epochs {
      let range = epoch * rows..<(epoch + 1) * rows
      let part = Array(bytes[range.lowerBound * size..<range.upperBound * size])
      var tensors: [NamedTensor] = [
        (recipe, StoredTensor(part, shape: [rows] + pixels.shape.dropFirst())),
        ("index", StoredTensor((0..<rows).map(Int64.init), shape: [rows])),
        ("label", StoredTensor(Array(numbers[range]), shape: [rows])),
      ]
      change(&metadata, &tensors)
      records.append(tensors)
    }
    let writer = try StreamWriter(path: path, kind: "views", metadata: metadata)
    for tensors in records { try writer.write(tensors) }
    try writer.finish()
  }

  /// The fixture's model after PyTorch's fine-tuning, as pmae-finetune would have written it.
  static func writeModel(_ path: String, pool: String) throws {
    let record = try readTensors(path: fixtures + "finetune.safetensors")
    let checkpoint = try readTensors(path: checkpoint, kinds: ["checkpoint"])
    let prefix = "\(pool).final."
    let tensors: [NamedTensor] = record.tensors.filter { $0.name.hasPrefix(prefix) }.map {
      (name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor)
    }
    try StreamWriter.writeOneRecord(
      path: path, kind: "weights",
      metadata: [
        "config":
          #"{"classes":7,"pool":"\#(pool)","encoder":{"image":20,"patch":5,"channels":3,"width":12,"depth":2,"heads":3,"mlpRatio":4}}"#,
        "mean": checkpoint.metadata["mean"] ?? "", "std": checkpoint.metadata["std"] ?? "",
      ], tensors: tensors)
  }

  /// The lines of JSON that a tool wrote.
  static func lines(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw RunnerError(description: "not an object: \(line)")
      }
      return object
    }
  }
}
