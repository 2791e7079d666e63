import Networks
import TensorStream
import Training

/// What decides the result of fine-tuning, beside the encoder, the views and the engine's precision.
public struct FinetuningConfiguration: Codable, Equatable, Sendable {
  public enum Mode: String, CaseIterable, Codable, Sendable {
    /// A linear layer on the features of a frozen encoder.
    case linear
    /// All weights.
    case full
  }

  /// By what the distance of logits from targets is measured.
  public enum Loss: String, CaseIterable, Codable, Sendable {
    /// Of the softmax: one class each.
    case crossEntropy = "cross-entropy"
    /// Of a sigmoid for each class: the classes do not exclude each other.
    case binary = "bce"
  }

  /// The rule of a step.
  public enum Rule: String, CaseIterable, Codable, Sendable {
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

  public var mode: Mode
  public var pooling: Pooling
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
  /// The share of the label that is spread over all classes.
  public var labelSmoothing = 0.0
  /// α of mixup and of CutMix; nil, as in linear mode, is neither.
  public var mixup: Double?
  public var cutmix: Double?
  public var mixMode = Mixing.Mode.batch
  /// How often images are mixed, and of two kinds how often it is CutMix.
  public var mixProbability = 1.0
  public var mixSwitchProbability = 0.5
  public var loss = Loss.crossEntropy
  /// AdamW alone in full mode.
  public var rule = Rule.adamW
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
  /// Of a task that says the class of each pixel.
  public var segmentation: SegmentationTraining?
  /// Of the head's fresh weights, the order of a probe's batches, drop path and dropout.
  public var seed: UInt64 = 0

  public init(mode: Mode, pooling: Pooling, epochs: Int, learningRate: Double, weightDecay: Double) {
    self.mode = mode
    self.pooling = pooling
    self.epochs = epochs
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }

  /// A field that older files lack gets here the value that these files mean.
  public init(from decoder: any Swift.Decoder) throws {
    let c = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      mode: try c.decode(Mode.self, forKey: .mode), pooling: try c.decode(Pooling.self, forKey: .pooling),
      epochs: try c.decode(Int.self, forKey: .epochs), learningRate: try c.decode(Double.self, forKey: .learningRate),
      weightDecay: try c.decode(Double.self, forKey: .weightDecay))
    batch = try c.decodeIfPresent(Int.self, forKey: .batch) ?? batch
    accumulate = try c.decodeIfPresent(Int.self, forKey: .accumulate) ?? accumulate
    layerDecay = try c.decodeIfPresent(Double.self, forKey: .layerDecay) ?? layerDecay
    dropPath = try c.decodeIfPresent(Double.self, forKey: .dropPath) ?? dropPath
    labelSmoothing = try c.decodeIfPresent(Double.self, forKey: .labelSmoothing) ?? labelSmoothing
    mixup = try c.decodeIfPresent(Double.self, forKey: .mixup)
    cutmix = try c.decodeIfPresent(Double.self, forKey: .cutmix)
    mixMode = try c.decodeIfPresent(Mixing.Mode.self, forKey: .mixMode) ?? mixMode
    mixProbability = try c.decodeIfPresent(Double.self, forKey: .mixProbability) ?? mixProbability
    mixSwitchProbability = try c.decodeIfPresent(Double.self, forKey: .mixSwitchProbability) ?? mixSwitchProbability
    loss = try c.decodeIfPresent(Loss.self, forKey: .loss) ?? loss
    rule = try c.decodeIfPresent(Rule.self, forKey: .rule) ?? rule
    standardising = try c.decodeIfPresent(Standardising.self, forKey: .standardising) ?? standardising
    ema = try c.decodeIfPresent(Double.self, forKey: .ema)
    clip = try c.decodeIfPresent(Double.self, forKey: .clip)
    warmupEpochs = try c.decodeIfPresent(Double.self, forKey: .warmupEpochs) ?? warmupEpochs
    warmupRate = try c.decodeIfPresent(Double.self, forKey: .warmupRate) ?? warmupRate
    minimumRate = try c.decodeIfPresent(Double.self, forKey: .minimumRate) ?? minimumRate
    segmentation = try c.decodeIfPresent(SegmentationTraining.self, forKey: .segmentation)
    seed = try c.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
  }

  /// How the learning rate moves.
  public var schedule: RateSchedule {
    var schedule = RateSchedule(peak: learningRate, warmupEpochs: warmupEpochs)
    (schedule.start, schedule.end) = (warmupRate, minimumRate)
    schedule.poly = segmentation.map { .init(warmupSteps: $0.warmupSteps) }
    return schedule
  }

  /// Throws `Failure(.usage)` on the first thing that cannot be trained, by the option's name.
  public func validate() throws {
    func check(_ condition: Bool, _ message: @autoclosure () -> String) throws {
      if !condition { throw Failure(.usage, message()) }
    }
    try check((1...1 << 20).contains(batch), "batch must be from 1 to 1,048,576, not \(batch)")
    try check(
      accumulate >= 1 && batch.isMultiple(of: accumulate),
      "accumulate must be a divisor of the batch of \(batch), not \(accumulate)")
    try check((1...1 << 30).contains(epochs), "epochs must be at least 1, not \(epochs)")
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
    try check(
      labelSmoothing >= 0 && labelSmoothing < 1, "label-smoothing must be from 0 to below 1, not \(labelSmoothing)")
    for (name, value) in [("mixup", mixup), ("cutmix", cutmix), ("clip", clip)] {
      if let value { try check(value > 0 && value.isFinite, "\(name) must be above 0, not \(value)") }
    }
    for (name, value) in [("mix-prob", mixProbability), ("mix-switch-prob", mixSwitchProbability)] {
      try check((0...1).contains(value), "\(name) must be from 0 to 1, not \(value)")
    }
    if let ema { try check((0..<1).contains(ema), "ema must be from 0 to below 1, not \(ema)") }
    try check(
      standardising == .set || batch > 1, "standardise batch needs a batch of at least 2: one image has no variance")
  }

  /// How images are mixed.
  public var mixing: Mixing {
    var mixing = Mixing(mixup: mixup, cutmix: cutmix)
    (mixing.mode, mixing.probability, mixing.switchProbability) = (mixMode, mixProbability, mixSwitchProbability)
    return mixing
  }
}
