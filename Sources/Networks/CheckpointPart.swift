import Compute
import Foundation
import TensorStream

/// An encoder in a pretraining run's checkpoint.
public enum CheckpointPart: String, CaseIterable, Sendable {
  case student
  case labellingTeacher = "labelling-teacher"
  case reconstructionTeacher = "reconstruction-teacher"

  /// What the names of its tensors start with in a checkpoint.
  var prefix: String { rawValue.replacing("-", with: "_") + "." }

  /// Takes the encoder out of a checkpoint, as weights in timm's names, checked to be all there.
  ///
  /// The metadata are those of a `WeightsFile`, with `part` and the run's `step`, provenance aside.
  /// - Throws: `Failure(.data)` naming what is missing: the part, with those that are there, or its tensors.
  public func encoder(in checkpoint: Record, source: String) throws -> Record {
    func tensors(of part: CheckpointPart) -> [NamedTensor] {
      checkpoint.tensors.filter { $0.name.hasPrefix(part.prefix) }
    }
    let found = tensors(of: self)
    if found.isEmpty {
      let there = Self.allCases.filter { !tensors(of: $0).isEmpty }.map(\.rawValue)
      let others = there.isEmpty ? "no encoder at all" : "only " + there.joined(separator: " and ")
      throw Failure(.data, "\(source): has no \(rawValue), \(others) (--part says which is exported)")
    }
    guard let text = checkpoint.metadata["config"] else {
      throw Failure(.data, "\(source): a checkpoint without its configuration")
    }
    let config = try JSONText.decode(WeightsFile.Config.self, from: text, what: "\(source): metadata \"config\"")
    let part = Record(tensors: found)
    try config.encoder.validate(source: source, against: part)
    let engine = Engine(threads: 1)
    try load(
      [Part(prefix, Encoder(config.encoder, engine: engine, trained: false))], from: part, source: source)
    var metadata = try WeightsFile.metadata(
      encoder: config.encoder,
      normalisation: Normalisation(checkpoint.metadata, channels: config.encoder.channels, source: source))
    metadata["part"] = rawValue
    metadata["step"] = checkpoint.metadata["step"]
    return Record(
      metadata: metadata, tensors: found.map { (name: String($0.name.dropFirst(prefix.count)), tensor: $0.tensor) })
  }
}
