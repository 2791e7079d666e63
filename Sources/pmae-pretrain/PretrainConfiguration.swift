import ArgumentParser
import Networks
import Pretraining
import TensorStream
import Training

extension PretrainTool {
  /// What the options say. Where they do not give the number of epochs, the views will.
  func configuration<O: Objective>(
    _: O.Type, _ encoder: EncoderConfiguration
  ) throws -> Configuration<O.Options> {
    var c = Configuration<O.Options>(encoder: encoder)
    c.options = try O.Options.parsed(settings).options
    c.dropPath = dropPath
    c.batch = batch
    c.accumulate = accumulate
    c.seed = seed
    c.precision = precision.precision
    c.weightDecay = weightDecay
    c.weightDecayEnd = weightDecayEnd
    c.clip = clip
    c.warmupLearningRate = warmupLr
    c.minLearningRate = minLr
    c.learningRate = lr ?? (baseLr ?? 2.666e-4) * Double(batch) / 256
    if let epochs {
      c.run(epochs: epochs, warmupEpochs: warmupEpochs)
      try c.validate()
    } else {
      // The warm-up may be longer than any default: that is held against the views.
      c.warmupEpochs = 0
      try c.validate()
      c.warmupEpochs = warmupEpochs ?? c.warmupEpochs
      guard c.warmupEpochs >= 0, c.warmupEpochs.isFinite else {
        throw Failure(.usage, "warmup-epochs must be 0 or more, not \(c.warmupEpochs)")
      }
    }
    return c
  }
}
