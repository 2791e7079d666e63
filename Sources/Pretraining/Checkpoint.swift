import Foundation
import Networks
import TensorStream

extension PretrainingRun {
  /// All weights and the optimiser's moments.
  var state: TrainingState {
    TrainingState(parts: model.parts, optimizer: optimizer, names: model.trained.map(\.name))
  }

  /// Metadata of the views that a run keeps to from its first step to its last.
  static func properties(of views: ViewBatches) -> [String: String] {
    var properties = ["rows_per_epoch": String(views.rowsPerEpoch)]
    for key in ["mean", "std", "classes"] { properties[key] = views.reader.header.metadata[key] }
    return properties
  }

  /// Continues where a checkpoint was written.
  /// - Throws: `Failure(.data)` naming each difference where it is of another configuration, fewer epochs aside, or of other
  ///   views.
  public func resume(from checkpoint: CheckpointFile, on views: ViewBatches) throws {
    var theirs = try Configuration(json: checkpoint.configuration, source: checkpoint.path)
    if theirs.epochs < model.configuration.epochs { theirs.epochs = model.configuration.epochs }
    var differences = try model.configuration.differences(from: theirs)
    for (key, value) in Self.properties(of: views).sorted(by: { $0.key < $1.key }) where key != "classes" {
      // Checkpoints of earlier versions do not say all of it.
      if let other = checkpoint.record.metadata[key], other != value {
        differences.append("\(key) of the views \(value), not \(other)")
      }
    }
    if !differences.isEmpty {
      throw Failure(
        .data, "\(checkpoint.path): is of another configuration: asked for " + differences.joined(separator: "; "))
    }
    try state.load(from: checkpoint)
    start = checkpoint.place
  }
}

extension Configuration {
  /// What a run that goes on takes from its checkpoint where it is not asked for anything else: the number of epochs, and the
  /// warm-up, so that more epochs lengthen the descent of the learning rate alone.
  public mutating func keep(epochs: Bool, warmup: Bool, of checkpoint: CheckpointFile) throws {
    let theirs = try Configuration(json: checkpoint.configuration, source: checkpoint.path)
    if epochs { self.epochs = theirs.epochs }
    if warmup { warmupEpochs = theirs.warmupEpochs }
  }
}
