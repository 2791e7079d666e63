import ArgumentParser
import Finetuning
import TensorStream

extension FinetuningConfiguration.Loss: ExpressibleByArgument {}
extension FinetuningConfiguration.Rule: ExpressibleByArgument {}
extension FinetuningConfiguration.Standardising: ExpressibleByArgument {}
extension Mixing.Mode: ExpressibleByArgument {}

/// What published recipes have beside rates and decays.
struct RecipeOptions: ParsableArguments {
  @Option(
    help: "For which images one draw of --mixup and --cutmix holds: a batch, a pair, an element (default: batch).")
  var mixMode: Mixing.Mode?

  @Option(
    help: ArgumentHelp("How often --mixup and --cutmix mix images at all (default: 1).", valueName: "probability"))
  var mixProb: Double?

  @Option(
    help: ArgumentHelp("With --mixup and --cutmix, how often it is CutMix (default: 0.5).", valueName: "probability"))
  var mixSwitchProb: Double?

  @Option(
    help: ArgumentHelp(
      "Make the model of an average of the weights, as 0.9999 of itself and the rest of each step's (default: none).",
      valueName: "decay"))
  var ema: Double?

  @Option(help: ArgumentHelp("With --ema, where to write the weights of the last step besides.", valueName: "file"))
  var unaveraged: String?

  @Option(
    help: ArgumentHelp("The greatest length of a step's gradients as a whole (default: none).", valueName: "norm"))
  var clip: Double?

  @Option(
    help: "The loss: cross-entropy, or bce, a sigmoid for each class (default: cross-entropy, bce for sets of classes)."
  )
  var loss: FinetuningConfiguration.Loss?

  @Option(help: "The rule of a step: adamw, and in linear mode sgd or lars (default: adamw).")
  var optimizer: FinetuningConfiguration.Rule?

  @Option(
    help:
      "In linear mode, what features are standardised over: the whole set, or each batch as a batch norm does (default: set)."
  )
  var standardise: FinetuningConfiguration.Standardising?

  @Option(help: "Where the learning rate's fall ends (default: 0).")
  var minLr: Double?

  @Option(help: "Where the learning rate's rise begins (default: 0).")
  var warmupLr: Double?

  mutating func validate() throws {
    if unaveraged != nil && ema == nil { throw ValidationError("--unaveraged needs --ema") }
    if unaveraged == "-" { throw ValidationError("--unaveraged -: expected the name of a file") }
  }

  /// - Parameter mixes: whether --mixup or --cutmix is given.
  func validate(isLinear: Bool, mixesBoth: Bool, mixes: Bool) throws {
    if isLinear {
      if ema != nil { throw ValidationError("--ema has no meaning in linear mode: the layer is small and soon done") }
    } else {
      if let optimizer, optimizer != .adamW {
        throw ValidationError("--optimizer \(optimizer.rawValue) is for --mode linear: in full mode it is adamw")
      }
      if standardise != nil {
        throw ValidationError("--standardise has no meaning in full mode: features are standardised in linear mode")
      }
    }
    if !mixes, mixMode != nil || mixProb != nil {
      throw ValidationError("--mix-mode and --mix-prob need --mixup or --cutmix")
    }
    if !mixesBoth, mixSwitchProb != nil { throw ValidationError("--mix-switch-prob needs --mixup and --cutmix") }
  }

  /// Of views whose labels are sets of classes.
  func lossOfSets(source: String) throws -> FinetuningConfiguration.Loss {
    if loss == .crossEntropy {
      throw Failure(
        .usage, "\(source): its labels are sets of classes: --loss bce, the default for them, is the only one")
    }
    return .binary
  }

  /// The peak learning rate for a batch of 256 where none is given; MAE's of LARS.
  var baseRate: Double { optimizer ?? .adamW == .adamW ? 1e-3 : 0.1 }

  func apply(to c: inout FinetuningConfiguration) {
    c.mixMode = mixMode ?? c.mixMode
    c.mixProbability = mixProb ?? c.mixProbability
    c.mixSwitchProbability = mixSwitchProb ?? c.mixSwitchProbability
    (c.ema, c.clip) = (ema, clip)
    c.loss = loss ?? c.loss
    c.rule = optimizer ?? c.rule
    c.standardising = standardise ?? c.standardising
    c.minimumRate = minLr ?? c.minimumRate
    c.warmupRate = warmupLr ?? c.warmupRate
  }
}
