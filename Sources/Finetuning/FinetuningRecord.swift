import Compute
import Networks
import Runs
import Schemas
import Settings
import TensorStream
import Training

/// What decides the result of a fine-tuning run, as it stands in `config.json` and checkpoints.
public struct FinetuningRecord<T: Task>: Equatable, Sendable {
  public var training: FinetuningConfiguration<T>
  public let encoder: EncoderConfiguration
  public let classes: Int
  /// The recipe that is read.
  public let view: String
  public let precision: Precision
  /// The digest of the file that the encoder is from; empty for fresh weights.
  public let startWeights: String
  /// The task's name.
  private let task: String

  public init(
    _ training: FinetuningConfiguration<T>, encoder: EncoderConfiguration, classes: Int, view: String,
    precision: Precision, startWeights: String
  ) {
    (self.training, self.encoder, self.classes) = (training, encoder, classes)
    (self.view, self.precision, self.startWeights) = (view, precision, startWeights)
    task = T.name
  }

  /// Of a checkpoint.
  /// - Throws: `Failure(.data)` where it is no fine-tuning run's, or of a newer version than this program knows.
  public init(_ checkpoint: CheckpointFile) throws {
    let (json, source) = (checkpoint.header.config, checkpoint.path)
    _ = try configurationObject(json, source: source)
    training = try FinetuningConfiguration<T>(json: json, source: source)
    let shared = try JSONText.decode(Shared.self, from: json, what: "\(source): metadata \"config\"")
    (encoder, classes, view) = (shared.encoder, shared.classes, shared.view)
    (precision, startWeights) = (shared.precision ?? .float32, shared.startWeights ?? "")
    task = shared.task ?? T.name
  }

  /// Beside the configuration. Older files lack the fields that came later.
  private struct Shared: Codable {
    var version: Int?
    var encoder: EncoderConfiguration
    var classes: Int
    var view: String
    var precision: Precision?
    var startWeights: String?
    var task: String?
  }

  /// How the run is kept on disk.
  /// - Parameters:
  ///   - trainee: continues from the checkpoint, where there is one.
  ///   - provenance: of the checkpoints.
  ///   - shards: in how many a batch is computed.
  /// - Throws: `Failure(.data)` naming each difference where the checkpoint is of another configuration, fewer epochs aside, or
  ///   of other views, or of other classes.
  public func record(
    _ folder: RunFolder, of trainee: some Trainee, on views: some ModelViews, policy: CheckpointPolicy,
    provenance: [String: String], shards: Int, from checkpoint: CheckpointFile?
  ) throws -> RunRecord {
    let identity = try identity(of: views)
    let text = try JSONText.encode(self)
    let header = views.batches.header
    let names = try header.classes ?? T.classNames(views.batches.reader.header, source: views.batches.reader.name)
    if let checkpoint {
      try requireSameClasses(checkpoint.header.classes, of: checkpoint.path, names, of: views.batches.reader.name)
      var theirs = try FinetuningRecord(checkpoint)
      // More epochs are fine.
      theirs.training.epochs = max(theirs.training.epochs, training.epochs)
      try checkpoint.require(configuration: text, kept: try JSONText.encode(theirs), views: identity)
      try trainee.state.load(from: checkpoint)
    }
    return RunRecord(
      folder, configuration: text, pretty: text, views: identity, classes: names,
      provenance: provenance, shards: shards, policy: policy, start: checkpoint?.place)
  }

  private func identity(of views: some ModelViews) throws -> [String: String] {
    // A model may be fine-tuned on views by its own mean and deviation.
    try views.batches.identity().merging(views.normalisation.metadata()) { $1 }
  }

  /// What all ranks of a run must have in common, by the names that a message uses.
  public func facts(of views: some ModelViews) throws -> [String: String] {
    try views.batches.facts(options: JSONText.encode(self), identity: identity(of: views))
  }
}

extension FinetuningRecord: Encodable {
  public func encode(to encoder: any Swift.Encoder) throws {
    try training.encode(to: encoder)
    let shared = Shared(
      version: configurationVersion, encoder: self.encoder, classes: classes, view: view, precision: precision,
      startWeights: startWeights, task: task)
    try shared.encode(to: encoder)
  }
}
