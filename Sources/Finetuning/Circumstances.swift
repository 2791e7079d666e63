import Networks
import Schemas
import Settings

/// What is known when a task's options are filled in.
public struct Circumstances<T: Task> {
  public let mode: FinetuningMode
  /// Nil before the file that it is from is read.
  public let encoder: EncoderConfiguration?
  /// Nil before they are open.
  public let views: T.Views?
  /// Of the whole run; nil before it is known.
  public let steps: Int?
  /// Of the run that goes on.
  public let kept: T.Options?
  /// Of the whole model that it starts from.
  public let start: T.Options?

  public init(
    mode: FinetuningMode, encoder: EncoderConfiguration?, views: T.Views? = nil, steps: Int? = nil,
    kept: T.Options? = nil, start: T.Options? = nil
  ) {
    (self.mode, self.encoder, self.views) = (mode, encoder, views)
    (self.steps, self.kept, self.start) = (steps, kept, start)
  }
}

/// The defaults of a task.
public struct UsualRecipe: Sendable {
  public var batch = 256
  /// The peak learning rate for a batch of 256.
  public var baseRate = 1e-3
  /// Of an encoder that is not fresh.
  public var layerDecay = 0.75
  /// The share of the epochs over which the rate rises.
  public var warmup = 0.1

  public init() {}
}

/// A whole model of a task, beside its weights.
public struct SavedModel<Options> {
  public let encoder: EncoderConfiguration
  public let normalisation: Normalisation
  public let options: Options

  public init(encoder: EncoderConfiguration, normalisation: Normalisation, options: Options) {
    (self.encoder, self.normalisation, self.options) = (encoder, normalisation, options)
  }
}
