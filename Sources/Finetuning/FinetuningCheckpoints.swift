import Networks
import TensorStream

/// The run folder of fine-tuning: what pmae-pretrain's is, so that `pmae-augment --resume` knows it too.
public struct FinetuningCheckpoints {
  public let folder: RunFolder
  private let settings: String
  private let policy: CheckpointPolicy
  private var metadata: [String: String]
  private let start: CheckpointFile.Place?

  /// What decides a run's result, as it stands in `config.json` and checkpoints.
  private struct Settings: Encodable {
    let training: FinetuningConfiguration
    let encoder: EncoderConfiguration
    let classes: Int
    let view: String
    let precision: String
    let startWeights: String

    private enum Key: CodingKey { case encoder, classes, view, precision, startWeights }

    func encode(to coder: any Swift.Encoder) throws {
      try training.encode(to: coder)
      var more = coder.container(keyedBy: Key.self)
      try more.encode(encoder, forKey: .encoder)
      try more.encode(classes, forKey: .classes)
      try more.encode(view, forKey: .view)
      try more.encode(precision, forKey: .precision)
      try more.encode(startWeights, forKey: .startWeights)
    }
  }

  /// - Parameters:
  ///   - checkpoint: what `run` goes on from, and is set to; nil for a fresh run.
  ///   - startWeights: the digest of the file that the encoder is from; empty without.
  ///   - metadata: provenance.
  /// - Throws: `Failure(.data)` naming each difference where the checkpoint is of another configuration, fewer epochs aside, or
  ///   of other views.
  public init(
    _ folder: RunFolder, of run: FullFinetuning, on views: LabelledViews, policy: CheckpointPolicy,
    startWeights: String,
    metadata: [String: String], from checkpoint: CheckpointFile?
  ) throws {
    self.folder = folder
    self.policy = policy
    self.metadata = metadata
    start = checkpoint?.place
    let classifier = run.classifier
    var training = run.configuration
    func text() throws -> String {
      try JSONText.encode(
        Settings(
          training: training, encoder: classifier.encoder.configuration, classes: classifier.classes,
          view: views.view, precision: run.precision.rawValue, startWeights: startWeights))
    }
    settings = try text()
    let properties = [
      "rows_per_epoch": String(views.batches.rowsPerEpoch), "mean": try JSONText.encode(views.normalisation.mean),
      "std": try JSONText.encode(views.normalisation.std),
    ]
    self.metadata.merge(properties) { $1 }
    self.metadata["config"] = settings
    guard let checkpoint else { return }
    let source = checkpoint.path
    let theirs = try Self.schedule(of: checkpoint).epochs
    // More epochs are fine.
    training.epochs = theirs < training.epochs ? theirs : training.epochs
    var problems = try differences(of: try text(), from: checkpoint.configuration, source: source)
    for (key, value) in properties.sorted(by: { $0.key < $1.key }) where checkpoint.record.metadata[key] != value {
      problems.append("\(key) of the views \(value), not \(checkpoint.record.metadata[key] ?? "none")")
    }
    if !problems.isEmpty {
      throw Failure(.data, "\(source): is of another configuration: asked for " + problems.joined(separator: "; "))
    }
    try run.load(checkpoint)
  }

  /// Epochs and warm-up of a run, which one that goes on keeps where it is not asked for anything else.
  public static func schedule(of checkpoint: CheckpointFile) throws -> (epochs: Int, warmupEpochs: Double) {
    let c = try JSONText.decode(
      FinetuningConfiguration.self, from: checkpoint.configuration, what: "\(checkpoint.path): metadata \"config\"")
    return (c.epochs, c.warmupEpochs)
  }

  /// Writes a run's checkpoints and its log.
  final class Writer {
    let log: LineFile
    private let writer: CheckpointWriter
    private var metadata: [String: String]
    private let firstStep: Int

    init(log: LineFile, writer: CheckpointWriter, metadata: [String: String], firstStep: Int) {
      self.log = log
      self.writer = writer
      self.metadata = metadata
      self.firstStep = firstStep
    }

    /// Nothing where this step's is the last that was written.
    func write(step: Int, tensors: [NamedTensor]) throws {
      if writer.lastStep == step { return }
      metadata["step"] = String(step)
      try writer.write(step: step, metadata: metadata, tensors: tensors, log: log)
    }

    func saveBeforeFailure(step: Int, tensors: [NamedTensor]) throws {
      if step > firstStep { try write(step: step, tensors: tensors) }
      try writer.wait()
    }

    func isDue(after step: Int) -> Bool { writer.isDue(after: step) }
    func check() throws { try writer.check() }
    func wait() throws { try writer.wait() }
  }

  func start(stepsPerEpoch: Int, steps: Int) throws -> Writer {
    try folder.write(settings + "\n", to: folder.configuration)
    return Writer(
      log: try folder.metricsLog(keepingSteps: steps),
      writer: CheckpointWriter(folder, policy: policy, stepsPerEpoch: stepsPerEpoch, from: start), metadata: metadata,
      firstStep: steps)
  }
}
