import TensorStream

/// What a `weights` file says of its model. Its configuration is the network's own matter (`config`, JSON); the rest is here.
public struct WeightsHeader: Sendable {
  /// The networks' configuration, as JSON; nil for a file of another program.
  public var config: String?
  /// The mean and deviation by which the model normalises pixels.
  public var normalisation: Normalisation?
  /// Names of a head's classes.
  public var classes: [String]?
  /// The part of the run that these weights are, and the run's step.
  public var part: String?
  public var step: Int?

  public init(
    config: String?, normalisation: Normalisation?, classes: [String]? = nil, part: String? = nil, step: Int? = nil
  ) {
    self.config = config
    self.normalisation = normalisation
    self.classes = classes
    self.part = part
    self.step = step
  }

  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    self.init(
      config: fields.text(MetadataKey.config),
      normalisation: try Normalisation(of: record, source: source),
      classes: try fields.value(MetadataKey.classes), part: fields.text("part"), step: try fields.value("step"))
  }

  /// A record that says what was changed in it since it was written, for the lineage of what is made from it.
  public static func noting(_ changes: [String], in record: Record) throws -> Record {
    var record = record
    record.metadata[MetadataKey.changes] = try JSONText.encode(changes)
    return record
  }

  /// Metadata for tensors under another program's names, which `config` does not describe.
  public static func withoutConfiguration(_ metadata: [String: String]) -> [String: String] {
    metadata.filter { $0.key != MetadataKey.config }
  }

  /// The metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    var metadata = try normalisation?.metadata() ?? [:]
    metadata[MetadataKey.config] = config
    metadata.merge(try ClassNames.metadata(classes)) { $1 }
    metadata["part"] = part
    metadata["step"] = step.map(String.init)
    return metadata
  }
}
