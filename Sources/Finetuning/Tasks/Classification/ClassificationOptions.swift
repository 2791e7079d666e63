import Networks
import Settings
import TensorStream

/// What a classification can be told. The defaults are those of full mode.
public struct ClassificationOptions: ClassifierOptions {
  /// By what the distance of logits from targets is measured.
  public enum Loss: String, CaseIterable, Sendable {
    /// Of the softmax: one class each.
    case crossEntropy = "cross-entropy"
    /// Of a sigmoid for each class: the classes do not exclude each other.
    case binary = "bce"
  }

  public var pooling = Pooling.mean
  public var labelSmoothing = 0.1
  /// α of mixup and of CutMix; nil, as in linear mode, is neither.
  public var mixup: Double?
  public var cutmix: Double?
  public var mixMode = Mixing.Mode.batch
  /// How often images are mixed, and of two kinds how often it is CutMix.
  public var mixProbability = 1.0
  public var mixSwitchProbability = 0.5
  public var loss = Loss.crossEntropy

  public init() {}

  public static let settings: [Setting<ClassificationOptions>] =
    classifierSettings + [
      .number(
        "mixup", \.mixup, .positive, "Mix images by a share from Beta(alpha, alpha), for mixup; MAE's alpha is 0.8."),
      .number(
        "cutmix", \.cutmix, .positive, "Paste a square of one image into another, for CutMix; MAE's alpha is 1."),
      .word(
        "mix-mode", \.mixMode, "For which images one draw of --mixup and --cutmix holds: a batch, a pair, an element."
      ).needing("mixup", "cutmix"),
      .number(
        "mix-prob", at: ["mixProbability"], \.mixProbability, .share,
        "How often --mixup and --cutmix mix images at all."
      ).needing("mixup", "cutmix"),
      .number(
        "mix-switch-prob", at: ["mixSwitchProbability"], \.mixSwitchProbability, .share,
        "With --mixup and --cutmix, how often it is CutMix."
      ).needing("mixup").needing("cutmix"),
      .word(
        "loss", \.loss, "The loss: cross-entropy, or bce, a sigmoid for each class.",
        usual: "cross-entropy; bce for sets of classes"),
    ]

  /// How images are mixed.
  public var mixing: Mixing {
    var mixing = Mixing(mixup: mixup, cutmix: cutmix)
    (mixing.mode, mixing.probability, mixing.switchProbability) = (mixMode, mixProbability, mixSwitchProbability)
    return mixing
  }
}

extension Classification {
  public static func complete(
    _ options: inout ClassificationOptions, given: Set<String>, for known: Circumstances<Classification>
  ) throws {
    options.completeClassifier(given: given, mode: known.mode)
    guard let views = known.views, views.sets != nil else { return }
    if given.contains("loss"), options.loss == .crossEntropy {
      throw Failure(
        .usage,
        "\(views.batches.reader.name): its labels are sets of classes: --loss bce, the default for them, is the only one"
      )
    }
    options.loss = .binary
  }

  public static func validate(_ configuration: FinetuningConfiguration<Classification>) throws {
    if configuration.mode == .full { return }
    for (name, value) in [("mixup", configuration.options.mixup), ("cutmix", configuration.options.cutmix)] {
      if value != nil {
        throw Failure(.usage, "--\(name) has no meaning in linear mode: the encoder is frozen")
      }
    }
  }
}
