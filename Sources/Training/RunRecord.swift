import Runs
import Schemas
import TensorStream

/// How a run is kept on disk: the folder, the checkpoints' header, when they are written, and where the run goes on from.
public struct RunRecord {
  public let folder: RunFolder
  private let header: CheckpointHeader
  /// As `config.json` has it.
  private let configurationText: String
  private let provenance: [String: String]
  private let policy: CheckpointPolicy
  private let start: CheckpointFile.Place?

  /// - Parameters:
  ///   - configuration: all that decides the run's result, as JSON on one line; `pretty` is the same for people.
  ///   - views: what the run's views say of themselves (`ViewsHeader.identity`).
  ///   - shards: in how many a batch is computed.
  ///   - start: the checkpoint that the run goes on from; nil for a fresh run.
  public init(
    _ folder: RunFolder, configuration: String, pretty: String, views: [String: String], classes: [String]?,
    provenance: [String: String], shards: Int = 1, policy: CheckpointPolicy = CheckpointPolicy(),
    start: CheckpointFile.Place? = nil
  ) {
    self.folder = folder
    header = CheckpointHeader(config: configuration, step: 0, views: views, classes: classes, shards: shards)
    configurationText = pretty
    (self.provenance, self.policy, self.start) = (provenance, policy, start)
  }

  /// Writes `config.json`, and opens the log and the checkpoints.
  func begin(at place: StepPlace) throws -> RunKeeper {
    try folder.write(configurationText + "\n", to: folder.configuration)
    return RunKeeper(
      header: header, provenance: provenance, log: try folder.metricsLog(keepingSteps: place.step),
      writer: CheckpointWriter(folder, policy: policy, stepsPerEpoch: place.stepsPerEpoch, from: start))
  }
}

/// Writes a run's checkpoints and its log while it trains.
final class RunKeeper {
  private var header: CheckpointHeader
  private let provenance: [String: String]
  private let lines: LineFile
  private let writer: CheckpointWriter

  init(header: CheckpointHeader, provenance: [String: String], log: LineFile, writer: CheckpointWriter) {
    (self.header, self.provenance, lines, self.writer) = (header, provenance, log, writer)
  }

  var count: Int { writer.count }
  var seconds: Double { writer.seconds }

  func log(_ report: StepReport) throws { try lines.write(report.json) }

  /// Nothing where this step's checkpoint is the last that was written.
  func save(_ tensors: [NamedTensor], after step: Int) throws {
    if writer.lastStep == step { return }
    header.step = step
    try writer.write(
      step: step, metadata: try header.metadata().merging(provenance) { $1 }, tensors: tensors, log: lines)
  }

  func isDue(after step: Int) -> Bool { writer.isDue(after: step) }
  /// Throws what has gone wrong behind, without waiting for what has not.
  func check() throws { try writer.check() }
  func wait() throws { try writer.wait() }
}
