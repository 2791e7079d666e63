import Autodiff
import Compute
import Networks
import Schemas
import TensorStream

/// A segmentation model as a file of kind `weights` (.stz) or a plain .safetensors file with its metadata.
public struct SegmenterFile: Sendable {
  /// The file's name, for messages.
  public let source: String
  public let record: Record
  /// Tells the file from others, for provenance; empty for a plain .safetensors file.
  public let digest: String
  public let encoder: EncoderConfiguration
  public let network: SegmentationConfiguration
  public let normalisation: Normalisation
  public let classes: MaskClasses

  /// The task whose models these are.
  public static let task = "segment"

  /// `config`.
  private struct Config: Codable {
    var encoder: EncoderConfiguration
    var segmentation: SegmentationConfiguration?
    var task: String? = SegmenterFile.task
  }

  /// - Throws: `Failure` naming the file, what was expected and what was found.
  public init(path: String) throws {
    try self.init(StoredWeights(path: path))
  }

  /// Whether weights say that they are a segmentation model's.
  public static func isOne(_ stored: StoredWeights) throws -> Bool {
    guard let text = try WeightsHeader(stored.record, source: stored.source).config else { return false }
    return try JSONText.decode(Config.self, from: text, what: "\(stored.source): metadata \"config\"").segmentation
      != nil
  }

  /// Weights that are at hand.
  public init(_ stored: StoredWeights) throws {
    let source = stored.source
    (self.source, digest) = (source, stored.digest)
    // Other types of numbers are another program's doing.
    var record = stored.record
    record.tensors = record.tensors.map { ($0.name, $0.tensor.float32() ?? $0.tensor) }
    self.record = record
    let header = try WeightsHeader(record, source: source)
    guard let text = header.config else {
      throw Failure(.data, "\(source): has no \"config\": expected a model of pmae-finetune --task segment")
    }
    let config = try JSONText.decode(Config.self, from: text, what: "\(source): metadata \"config\"")
    guard let network = config.segmentation else {
      throw Failure(.data, "\(source): no segmentation model: expected one of pmae-finetune --task segment")
    }
    (encoder, self.network) = (config.encoder, network)
    do {
      try encoder.validate()
      try network.validate(depth: encoder.depth)
    } catch let failure as Failure {
      throw Failure(.data, "\(source): its \"config\": \(failure.message)")
    }
    guard let normalisation = header.normalisation else {
      throw Failure(.data, "\(source): has no \"mean\" and \"std\"")
    }
    try normalisation.require(channels: encoder.channels, source: source)
    try normalisation.requireUsable(source: source)
    guard let classes = try MaskClasses.of(record, source: source), classes.count == network.classes else {
      throw Failure(.data, "\(source): does not name its \(network.classes) classes")
    }
    (self.normalisation, self.classes) = (normalisation, classes)
  }

  /// The network with the file's weights.
  /// - Throws: `Failure(.data)` naming the tensors that are missing, not expected or of another shape.
  public func load(engine: Engine) throws -> Segmenter {
    let segmenter = Segmenter(
      Encoder(encoder, engine: engine, trained: false), network, engine: engine, trained: false)
    try load(into: segmenter)
    return segmenter
  }

  /// Sets a network's weights.
  public func load(into segmenter: Segmenter) throws {
    try Training.load(segmenter.parts.map { Part($0.prefix, $0.network) }, from: record, source: source)
  }

  /// The metadata of such a file, provenance aside.
  public static func metadata(
    encoder: EncoderConfiguration, _ network: SegmentationConfiguration, normalisation: Normalisation,
    classes: MaskClasses
  ) throws -> [String: String] {
    let config = Config(encoder: encoder, segmentation: network)
    return try WeightsHeader(config: try JSONText.encode(config), normalisation: normalisation).metadata()
      .merging(try MaskClasses.metadata(classes)) { $1 }
  }
}
