import CommandLineKit
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Training

/// What is exported: a network of a pretraining run, or a file of weights.
struct ExportSource {
  let file: WeightsFile
  /// What is written of where it came from, and what it is.
  let metadata: [String: String]
  /// Of a run: the record that a decoder can be taken out of.
  let checkpoint: CheckpointFile?
  /// What is said at the end: "student after step 12".
  let title: String

  /// - Parameters:
  ///   - part: of a run; nil for the student.
  ///   - hasHead: whether a head that there is goes along.
  ///   - pool: what that is on, where the file does not say.
  init(
    _ path: String, part: String?, heads: Int?, image: Int?, hasHead: Bool, pool: Pooling?, note: (String) -> Void
  ) throws {
    let input: (name: String, header: Record, digest: String)
    switch try Self.found(path, note: note) {
    case .run(let run):
      let encoder = try RunEncoder(run, part: part ?? "student")
      file = try WeightsFile(
        StoredWeights(
          Record(metadata: encoder.metadata, tensors: encoder.tensors), source: run.path, digest: run.digest),
        heads: heads, image: image)
      let header = file.notes.isEmpty ? run.record : try WeightsHeader.noting(file.notes, in: run.record)
      input = (run.path, header, run.digest)
      title = "\(encoder.part.name) after step \(grouped(run.steps))"
      checkpoint = run
    case .weights(let found):
      if let part { throw Failure(.usage, "\(path): weights, not a run: --part \(part) has no meaning") }
      file = try WeightsFile(found, heads: heads, image: image)
      input = (file.source, file.record, file.digest)
      title = file.source
      checkpoint = nil
    }
    for text in file.notes { note("\(file.source): \(text)") }
    let header = try WeightsHeader(file.record, source: file.source)
    let head = file.head.map {
      WeightsFile.Head(classes: $0.classes, pooling: $0.pooling ?? pool, isSigmoid: $0.isSigmoid)
    }
    let own = try WeightsFile.metadata(
      encoder: file.encoder, head: hasHead ? head : nil, normalisation: file.normalisation,
      classNames: hasHead ? file.classNames : nil, part: header.part, step: header.step)
    metadata = own.merging(Provenance.metadata(tool: "pmae-export", inputs: [input])) { $1 }
  }

  private enum Found {
    case run(CheckpointFile)
    case weights(StoredWeights)
  }

  private static func found(_ path: String, note: (String) -> Void) throws -> Found {
    if isFolder(path), !FileManager.default.fileExists(atPath: path + "/model.safetensors") {
      return .run(try CheckpointFile.at(path, onDamage: note))
    }
    let found = try StoredWeights(path: path, kinds: [.weights, .checkpoint])
    let isRun = found.record.kindText == StreamKind.checkpoint.rawValue || found.record["student.cls_token"] != nil
    return isRun ? .run(try CheckpointFile(found.record, path: found.source, digest: found.digest)) : .weights(found)
  }
}
