import Compute
import Networks
import Runs
import Schemas
import TensorStream
import Training

/// A run's model as its last checkpoint left it, to look at and not to train.
public struct RunModel<O: Objective> {
  public let objective: O
  /// Steps that were taken.
  public let steps: Int
  /// The checkpoint's path, for messages.
  public let source: String
  private let found: [(part: EncoderPart, encoder: Encoder)]

  /// - Parameter engine: of float32, whatever the run computes in.
  /// - Throws: `Failure(.data)` where the checkpoint does not fit its configuration.
  public init(_ checkpoint: CheckpointFile, engine: Engine) throws {
    source = checkpoint.path
    steps = checkpoint.steps
    var configuration = try Configuration<O.Options>(json: checkpoint.header.config, source: source)
    do {
      try configuration.validate()
    } catch let failure as Failure {
      throw Failure(.data, "\(source): its configuration is impossible: \(failure.message)")
    }
    try configuration.encoder.validate(source: source, against: checkpoint.record)
    try checkpoint.record.requirePlausible(weights: O.approximateWeights(configuration), source: source)
    configuration.precision = engine.precision
    objective = O(configuration, engine: engine)
    let parts = objective.parts
    try load(parts, from: checkpoint.record, source: source) { $0.hasPrefix(TrainingState.optimizerPrefix) }
    found = O.encoders.compactMap { declared in
      parts.first { $0.prefix == declared.prefix }.flatMap { $0.network as? Encoder }.map { (declared, $0) }
    }
  }

  /// An encoder of the run.
  /// - Parameter name: nil for the objective's best.
  /// - Throws: `Failure(.data)` where the run has no such part.
  public func encoder(_ name: String?) throws -> (part: EncoderPart, encoder: Encoder) {
    guard let chosen = found.first(where: { name == nil || $0.part.name == name }) else {
      let there = found.map(\.part.name).joined(separator: " and ")
      throw Failure(.data, "\(source): has no \(name ?? "encoder"), only \(there)")
    }
    return chosen
  }
}
