import Compute
import Foundation
import Networks
import TensorStream
import Training

/// Everything that decides a pretraining run's result. It is written to `config.json` and into every checkpoint, and
/// compared when a run is resumed. The defaults are the paper's (DINO's and MAE's where it is silent).
public struct Configuration<Options: ObjectiveOptions>: Equatable, Sendable {
  /// The shape of the encoder that is pretrained.
  public var encoder: EncoderConfiguration
  /// The objective's own.
  public var options = Options()
  /// Of the encoder's last block.
  public var dropPath = 0.25
  /// Images a step.
  public var batch = 256
  /// Equal parts in which a batch is computed, one after the other. It changes rounding only.
  public var accumulate = 1
  public var epochs = 300
  public var warmupEpochs = 60.0
  /// The peak learning rate, not per 256.
  public var learningRate = 2.666e-4
  /// Where the line of the warm-up begins, and where the cosine after it ends.
  public var warmupLearningRate = 0.0
  public var minLearningRate = 0.0
  public var weightDecay = 0.05
  /// The decay moves to this along half a cosine; nil where it stays.
  public var weightDecayEnd: Double?
  /// What gradients' lengths are limited to; 0 for no limit.
  public var clip = 0.0
  public var seed: UInt64 = 0
  /// What matrices are multiplied in; the engine's too.
  public var precision = Precision.float32

  public init(encoder: EncoderConfiguration) { self.encoder = encoder }

  /// Sets how long the run is. Where nothing else is said a fifth of it warms up, as in the paper (60 of 300 epochs).
  public mutating func run(epochs: Int, warmupEpochs: Double? = nil) {
    self.epochs = epochs
    self.warmupEpochs = warmupEpochs ?? Double(epochs) / 5
  }

  /// Throws `Failure(.usage)` on the first thing that cannot be trained.
  public func validate() throws {
    try encoder.validate()
    try options.validateSettings()
    try options.validate(for: encoder)
    try Options.validate(self)
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw Failure(.usage, message()) }
    }
    for (name, value) in [
      ("weight-decay", weightDecay), ("lr", learningRate), ("warmup-epochs", warmupEpochs),
      ("weight-decay-end", weightDecayEnd ?? 0), ("warmup-lr", warmupLearningRate), ("min-lr", minLearningRate),
      ("clip", clip),
    ] {
      try check(value >= 0 && value.isFinite, "\(name) must be 0 or more, not \(value)")
    }
    try check(dropPath >= 0 && dropPath < 1, "drop-path must be from 0 to below 1, not \(dropPath)")
    try check(batch >= 1 && batch <= 1 << 20, "batch must be from 1 to 1,048,576, not \(batch)")
    try check(
      accumulate >= 1 && batch.isMultiple(of: accumulate),
      "accumulate must be a divisor of the batch of \(batch), not \(accumulate)")
    try check((1...1 << 30).contains(epochs), "epochs must be from 1 to 1,073,741,824, not \(epochs)")
    try check(
      warmupEpochs <= Double(epochs), "warmup-epochs \(warmupEpochs) are more than the \(epochs) epochs")
  }
}

extension Configuration {
  /// The learning rate, by line and cosine.
  public var schedule: RateSchedule {
    var schedule = RateSchedule(peak: learningRate, warmupEpochs: warmupEpochs)
    (schedule.start, schedule.end) = (warmupLearningRate, minLearningRate)
    return schedule
  }

  /// The text in files. Keys are sorted, so that equal configurations are equal texts.
  /// - Parameter objective: its name.
  func json(objective: String, pretty: Bool = false) throws -> String {
    try JSONText.encode(Written(configuration: self, objective: objective), pretty: pretty)
  }

  /// One flat object: the objective's options stand beside the others.
  private struct Written: Encodable {
    let configuration: Configuration
    let objective: String

    enum Key: String, CodingKey {
      case version, objective, encoder, dropPath, batch, accumulate, epochs, warmupEpochs, learningRate, weightDecay
      case weightDecayEnd, clip, warmupLearningRate, minLearningRate, seed, precision
    }

    func encode(to encoder: any Swift.Encoder) throws {
      let c = configuration
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(configurationVersion, forKey: .version)
      try container.encode(objective, forKey: .objective)
      try container.encode(c.encoder, forKey: .encoder)
      try container.encode(c.dropPath, forKey: .dropPath)
      try container.encode(c.batch, forKey: .batch)
      try container.encode(c.accumulate, forKey: .accumulate)
      try container.encode(c.epochs, forKey: .epochs)
      try container.encode(c.warmupEpochs, forKey: .warmupEpochs)
      try container.encode(c.learningRate, forKey: .learningRate)
      try container.encode(c.weightDecay, forKey: .weightDecay)
      try container.encode(c.weightDecayEnd ?? c.weightDecay, forKey: .weightDecayEnd)
      try container.encode(c.clip, forKey: .clip)
      try container.encode(c.warmupLearningRate, forKey: .warmupLearningRate)
      try container.encode(c.minLearningRate, forKey: .minLearningRate)
      try container.encode(c.seed, forKey: .seed)
      try container.encode(c.precision, forKey: .precision)
      try c.options.encode(to: encoder)
    }
  }

  /// - Throws: `Failure(.data)` where it cannot be read, or is of a newer version than this program knows, with both numbers.
  init(json: String, source: String) throws {
    _ = try configurationObject(json, source: source)
    do {
      let shared = try JSONDecoder().decode(Shared.self, from: Data(json.utf8))
      self.init(encoder: shared.encoder)
      dropPath = shared.dropPath ?? dropPath
      batch = shared.batch
      accumulate = shared.accumulate ?? 1
      epochs = shared.epochs
      warmupEpochs = shared.warmupEpochs
      learningRate = shared.learningRate
      weightDecay = shared.weightDecay
      weightDecayEnd = shared.weightDecayEnd
      clip = shared.clip ?? 0
      warmupLearningRate = shared.warmupLearningRate ?? 0
      minLearningRate = shared.minLearningRate ?? 0
      seed = shared.seed
      precision = shared.precision ?? .float32
    } catch {
      throw Failure(.data, "\(source): its configuration cannot be read: \(error)")
    }
    options = try Options(json: json, source: source)
  }

  /// What every objective's configuration has. Older files lack the fields that came later.
  private struct Shared: Decodable {
    let encoder: EncoderConfiguration
    let dropPath: Double?
    let batch: Int
    let accumulate: Int?
    let epochs: Int
    let warmupEpochs: Double
    let learningRate: Double
    let weightDecay: Double
    let weightDecayEnd: Double?
    let clip: Double?
    let warmupLearningRate: Double?
    let minLearningRate: Double?
    let seed: UInt64
    let precision: Precision?
  }
}
