import Compute
import Networks
import Runs
import Schemas
import TensorStream
import Training

/// An encoder from a pretraining run's checkpoint, as weights in timm's names. All of its tensors were found and
/// checked.
public struct RunEncoder {
  public let part: EncoderPart
  public let tensors: [NamedTensor]
  /// Those of a `WeightsFile`, with the part and the run's step, provenance aside.
  public let metadata: [String: String]

  /// - Parameter name: of the part; nil for the objective's best that the checkpoint has.
  /// - Throws: `Failure(.data)` naming what is missing: the part, with those that are there, or its tensors.
  public init(_ checkpoint: CheckpointFile, part name: String?) throws {
    let (record, source) = (checkpoint.record, checkpoint.path)
    let declared = try objective(ofConfiguration: checkpoint.header.config, source: source).encoders
    func tensors(of part: EncoderPart) -> [NamedTensor] { record.tensors.filter { $0.name.hasPrefix(part.prefix) } }
    let there = declared.filter { !tensors(of: $0).isEmpty }
    guard let part = there.first(where: { name == nil || $0.name == name }) else {
      let others = there.isEmpty ? "no encoder at all" : "only " + there.map(\.name).joined(separator: " and ")
      throw Failure(.data, "\(source): has no \(name ?? "encoder"), \(others) (--part says which is exported)")
    }
    let found = tensors(of: part)
    let config = try JSONText.decode(
      EncoderOnly.self, from: checkpoint.header.config, what: "\(source): metadata \"config\"")
    try config.encoder.validate(source: source, against: Record(tensors: found))
    let encoder = Encoder(config.encoder, engine: Engine(threads: 1), trained: false)
    try load([Part(part.prefix, encoder)], from: Record(tensors: found), source: source)
    self.part = part
    self.tensors = found.map { (name: String($0.name.dropFirst(part.prefix.count)), tensor: $0.tensor) }
    metadata = try WeightsFile.metadata(
      encoder: config.encoder,
      normalisation: Normalisation(of: record, channels: config.encoder.channels, source: source), part: part.name,
      step: checkpoint.steps)
  }

  private struct EncoderOnly: Decodable {
    let encoder: EncoderConfiguration
  }
}
