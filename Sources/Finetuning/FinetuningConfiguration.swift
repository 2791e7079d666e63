import Networks
import Settings
import TensorStream
import Training

/// What is trained.
public enum FinetuningMode: String, CaseIterable, Codable, Sendable {
  /// A linear layer on the features of a frozen encoder.
  case linear
  /// All weights.
  case full
}

/// The rule of a step.
public enum StepRule: String, CaseIterable, Codable, Sendable {
  case adamW = "adamw"
  /// With a momentum of 0.9, as LARS.
  case momentum = "sgd"
  /// With a trust of 0.001.
  case lars
}

/// Where a probe's features get their mean and variance from.
public enum Standardising: String, CaseIterable, Codable, Sendable {
  /// The whole training set.
  case set
  /// Each batch, as a batch norm; the model gets the running statistics.
  case batch
}

/// What decides the result of fine-tuning for a task, beside the encoder, the views and the engine's precision.
public struct FinetuningConfiguration<T: Task>: Equatable, Sendable {
  public var mode: FinetuningMode
  /// The task's own.
  public var options = T.Options()
  /// Images a step.
  public var batch = 256
  /// Equal parts in which a batch is computed, one after the other; 1 in linear mode. It changes rounding only.
  public var accumulate = 1
  public var epochs: Int
  /// The peak learning rate, not per 256.
  public var learningRate: Double
  public var weightDecay: Double
  /// What the learning rate of a block is multiplied by for each block above it (BEiT, MAE); 1 in linear mode.
  public var layerDecay = 1.0
  /// The last block's rate; it rises linearly from 0 at the first. 0 in linear mode.
  public var dropPath = 0.0
  /// AdamW alone in full mode.
  public var rule = StepRule.adamW
  /// Of linear mode.
  public var standardising = Standardising.set
  /// The decay of an average of the weights, which becomes the model; nil, as in linear mode, is none.
  public var ema: Double?
  /// The greatest length of a step's gradients; nil is no limit.
  public var clip: Double?
  public var warmupEpochs = 0.0
  /// Where the rate's rise begins, and where its fall ends.
  public var warmupRate = 0.0
  public var minimumRate = 0.0
  /// Of the head's fresh weights, the order of a probe's batches, drop path and what a task draws.
  public var seed: UInt64 = 0

  public init(mode: FinetuningMode, epochs: Int, learningRate: Double, weightDecay: Double) {
    self.mode = mode
    self.epochs = epochs
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }

  /// A line up, then half a cosine down.
  public var cosineSchedule: RateSchedule {
    var schedule = RateSchedule(peak: learningRate, warmupEpochs: warmupEpochs)
    (schedule.start, schedule.end) = (warmupRate, minimumRate)
    return schedule
  }

  /// Why a batch must be computed at once, for a message; nil: it may be in parts.
  var wholeBatch: String? { T.wholeBatch.map { "--task \(T.name) \($0)" } }

  /// Throws `Failure(.usage)` on the first thing that cannot be trained, by the option's name.
  public func validate() throws {
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw Failure(.usage, message()) }
    }
    try check(T.modes.contains(mode), "--mode \(mode.rawValue) has no meaning with --task \(T.name)")
    try check((1...1 << 20).contains(batch), "batch must be from 1 to 1,048,576, not \(batch)")
    try check(
      accumulate >= 1 && batch.isMultiple(of: accumulate),
      "accumulate must be a divisor of the batch of \(batch), not \(accumulate)")
    try BatchShare.require(parts: accumulate, whole: wholeBatch)
    try check((1...1 << 30).contains(epochs), "epochs must be from 1 to 1,073,741,824, not \(epochs)")
    let rates = [
      ("lr", learningRate), ("weight-decay", weightDecay), ("warmup-epochs", warmupEpochs), ("warmup-lr", warmupRate),
      ("min-lr", minimumRate),
    ]
    for (name, value) in rates {
      try check(value >= 0 && value.isFinite, "\(name) must be 0 or more, not \(value)")
    }
    for (name, value) in [("warmup-lr", warmupRate), ("min-lr", minimumRate)] {
      try check(value <= learningRate, "\(name) must be at most the learning rate, \(learningRate), not \(value)")
    }
    try check(
      warmupEpochs <= Double(epochs), "warmup-epochs \(warmupEpochs) are more than the \(epochs) epochs")
    try check(layerDecay > 0 && layerDecay <= 1, "layer-decay must be above 0 and at most 1, not \(layerDecay)")
    try check(dropPath >= 0 && dropPath < 1, "drop-path must be from 0 to below 1, not \(dropPath)")
    if let clip { try check(clip > 0 && clip.isFinite, "clip must be above 0, not \(clip)") }
    if let ema { try check((0..<1).contains(ema), "ema must be from 0 to below 1, not \(ema)") }
    try check(
      standardising == .set || batch > 1, "standardise batch needs a batch of at least 2: one image has no variance")
    try options.validateSettings()
    try T.validate(self)
  }
}

extension FinetuningConfiguration: Encodable {
  private enum Key: String, CodingKey {
    case mode, batch, accumulate, epochs, learningRate, weightDecay, layerDecay, dropPath, rule, standardising, ema,
      clip
    case warmupEpochs, warmupRate, minimumRate, seed
  }

  /// One flat object: the task's options stand beside the others.
  public func encode(to encoder: any Swift.Encoder) throws {
    var c = encoder.container(keyedBy: Key.self)
    try c.encode(mode, forKey: .mode)
    try c.encode(batch, forKey: .batch)
    try c.encode(accumulate, forKey: .accumulate)
    try c.encode(epochs, forKey: .epochs)
    try c.encode(learningRate, forKey: .learningRate)
    try c.encode(weightDecay, forKey: .weightDecay)
    try c.encode(layerDecay, forKey: .layerDecay)
    try c.encode(dropPath, forKey: .dropPath)
    try c.encode(rule, forKey: .rule)
    try c.encode(standardising, forKey: .standardising)
    try c.encodeIfPresent(ema, forKey: .ema)
    try c.encodeIfPresent(clip, forKey: .clip)
    try c.encode(warmupEpochs, forKey: .warmupEpochs)
    try c.encode(warmupRate, forKey: .warmupRate)
    try c.encode(minimumRate, forKey: .minimumRate)
    try c.encode(seed, forKey: .seed)
    try options.encode(to: encoder)
  }

  /// Of a run's configuration. A field that older files lack gets here the value that these files mean.
  /// - Throws: `Failure(.data)` where it is no fine-tuning run's.
  init(json: String, source: String) throws {
    self = try JSONText.decode(Shared.self, from: json, what: "\(source): metadata \"config\"").configuration
    options = try T.Options(json: json, source: source)
  }

  /// What every task's configuration has.
  private struct Shared: Decodable {
    var configuration: FinetuningConfiguration

    init(from decoder: any Swift.Decoder) throws {
      let c = try decoder.container(keyedBy: Key.self)
      var found = FinetuningConfiguration(
        mode: try c.decode(FinetuningMode.self, forKey: .mode), epochs: try c.decode(Int.self, forKey: .epochs),
        learningRate: try c.decode(Double.self, forKey: .learningRate),
        weightDecay: try c.decode(Double.self, forKey: .weightDecay))
      found.batch = try c.decodeIfPresent(Int.self, forKey: .batch) ?? found.batch
      found.accumulate = try c.decodeIfPresent(Int.self, forKey: .accumulate) ?? found.accumulate
      found.layerDecay = try c.decodeIfPresent(Double.self, forKey: .layerDecay) ?? found.layerDecay
      found.dropPath = try c.decodeIfPresent(Double.self, forKey: .dropPath) ?? found.dropPath
      found.rule = try c.decodeIfPresent(StepRule.self, forKey: .rule) ?? found.rule
      found.standardising = try c.decodeIfPresent(Standardising.self, forKey: .standardising) ?? found.standardising
      found.ema = try c.decodeIfPresent(Double.self, forKey: .ema)
      found.clip = try c.decodeIfPresent(Double.self, forKey: .clip)
      found.warmupEpochs = try c.decodeIfPresent(Double.self, forKey: .warmupEpochs) ?? found.warmupEpochs
      found.warmupRate = try c.decodeIfPresent(Double.self, forKey: .warmupRate) ?? found.warmupRate
      found.minimumRate = try c.decodeIfPresent(Double.self, forKey: .minimumRate) ?? found.minimumRate
      found.seed = try c.decodeIfPresent(UInt64.self, forKey: .seed) ?? found.seed
      configuration = found
    }
  }
}
