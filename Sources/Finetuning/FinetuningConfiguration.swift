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
  public var warmupEpochs = 0.0
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
    warmupEpochs = try c.decodeIfPresent(Double.self, forKey: .warmupEpochs) ?? warmupEpochs
    segmentation = try c.decodeIfPresent(SegmentationTraining.self, forKey: .segmentation)
    seed = try c.decodeIfPresent(UInt64.self, forKey: .seed) ?? seed
  }

  /// How the learning rate moves.
  public var schedule: RateSchedule {
    var schedule = RateSchedule(peak: learningRate, warmupEpochs: warmupEpochs)
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
    for (name, value) in [("lr", learningRate), ("weight-decay", weightDecay), ("warmup-epochs", warmupEpochs)] {
      try check(value >= 0 && value.isFinite, "\(name) must be 0 or more, not \(value)")
    }
    try check(
      warmupEpochs <= Double(epochs), "warmup-epochs \(warmupEpochs) are more than the \(epochs) epochs")
    try check(layerDecay > 0 && layerDecay <= 1, "layer-decay must be above 0 and at most 1, not \(layerDecay)")
    try check(dropPath >= 0 && dropPath < 1, "drop-path must be from 0 to below 1, not \(dropPath)")
    try check(
      labelSmoothing >= 0 && labelSmoothing < 1, "label-smoothing must be from 0 to below 1, not \(labelSmoothing)")
    for (name, value) in [("mixup", mixup), ("cutmix", cutmix)] {
      if let value { try check(value > 0 && value.isFinite, "\(name) must be above 0, not \(value)") }
    }
  }
}
