import Compute
import Networks
import Runs
import Schemas
import TensorStream
import Training

/// What decides the result of a fine-tuning run, as it stands in `config.json` and checkpoints.
public struct FinetuningRecord: Codable, Equatable, Sendable {
  public var training: FinetuningConfiguration
  public let encoder: EncoderConfiguration
  public let classes: Int
  /// The recipe that is read.
  public let view: String
  public let precision: Precision
  /// The digest of the file that the encoder is from; empty for fresh weights.
  public let startWeights: String

  private enum Key: String, CodingKey { case version, encoder, classes, view, precision, startWeights }

  public init(
    _ training: FinetuningConfiguration, encoder: EncoderConfiguration, classes: Int, view: String,
    precision: Precision,
    startWeights: String
  ) {
    (self.training, self.encoder, self.classes) = (training, encoder, classes)
    (self.view, self.precision, self.startWeights) = (view, precision, startWeights)
  }

  public init(from decoder: any Swift.Decoder) throws {
    training = try FinetuningConfiguration(from: decoder)
    let c = try decoder.container(keyedBy: Key.self)
    encoder = try c.decode(EncoderConfiguration.self, forKey: .encoder)
    classes = try c.decode(Int.self, forKey: .classes)
    view = try c.decode(String.self, forKey: .view)
    precision = try c.decodeIfPresent(Precision.self, forKey: .precision) ?? .float32
    startWeights = try c.decodeIfPresent(String.self, forKey: .startWeights) ?? ""
  }

  public func encode(to coder: any Swift.Encoder) throws {
    try training.encode(to: coder)
    var more = coder.container(keyedBy: Key.self)
    try more.encode(configurationVersion, forKey: .version)
    try more.encode(encoder, forKey: .encoder)
    try more.encode(classes, forKey: .classes)
    try more.encode(view, forKey: .view)
    try more.encode(precision, forKey: .precision)
    try more.encode(startWeights, forKey: .startWeights)
  }

  /// Of a checkpoint.
  /// - Throws: `Failure(.data)` where it is no fine-tuning run's, or of a newer version than this program knows.
  public init(_ checkpoint: CheckpointFile) throws {
    _ = try configurationObject(checkpoint.header.config, source: checkpoint.path)
    self = try JSONText.decode(
      FinetuningRecord.self, from: checkpoint.header.config, what: "\(checkpoint.path): metadata \"config\"")
  }

  /// How the run is kept on disk.
  /// - Parameters:
  ///   - trainee: continues from the checkpoint, where there is one.
  ///   - provenance: of the checkpoints.
  /// - Throws: `Failure(.data)` naming each difference where the checkpoint is of another configuration, fewer epochs aside, or
  ///   of other views.
  public func record(
    _ folder: RunFolder, of trainee: some Trainee, on views: some ModelViews, policy: CheckpointPolicy,
    provenance: [String: String], from checkpoint: CheckpointFile?
  ) throws -> RunRecord {
    var identity = try views.batches.identity()
    // A model may be fine-tuned on views by its own mean and deviation.
    identity.merge(try views.normalisation.metadata()) { $1 }
    let text = try JSONText.encode(self)
    if let checkpoint {
      var theirs = try FinetuningRecord(checkpoint)
      // More epochs are fine.
      theirs.training.epochs = max(theirs.training.epochs, training.epochs)
      try checkpoint.require(configuration: text, kept: try JSONText.encode(theirs), views: identity)
      try trainee.state.load(from: checkpoint)
    }
    return RunRecord(
      folder, configuration: text, pretty: text, views: identity, classes: views.batches.header.classes,
      provenance: provenance, policy: policy, start: checkpoint?.place)
  }
}
