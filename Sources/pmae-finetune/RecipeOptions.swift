import ArgumentParser
import Finetuning
import TensorStream

extension StepRule: ExpressibleByArgument {}
extension Standardising: ExpressibleByArgument {}

/// What published recipes have beside rates and decays.
struct RecipeOptions: ParsableArguments {
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

  @Option(help: "The rule of a step: adamw, and in linear mode sgd or lars (default: adamw).")
  var optimizer: StepRule?

  @Option(
    help:
      "In linear mode, what features are standardised over: the whole set, or each batch as a batch norm does (default: set)."
  )
  var standardise: Standardising?

  @Option(help: "Where the learning rate's fall ends (default: 0).")
  var minLr: Double?

  @Option(help: "Where the learning rate's rise begins (default: 0).")
  var warmupLr: Double?

  mutating func validate() throws {
    if unaveraged != nil && ema == nil { throw ValidationError("--unaveraged needs --ema") }
    if unaveraged == "-" { throw ValidationError("--unaveraged -: expected the name of a file") }
  }

  func validate(isLinear: Bool) throws {
    if isLinear {
      if ema != nil { throw ValidationError("--ema has no meaning in linear mode: the layer is small and soon done") }
      return
    }
    if let optimizer, optimizer != .adamW {
      throw ValidationError("--optimizer \(optimizer.rawValue) is for --mode linear: in full mode it is adamw")
    }
    if standardise != nil {
      throw ValidationError("--standardise has no meaning in full mode: features are standardised in linear mode")
    }
  }

  func apply<T: Task>(to c: inout FinetuningConfiguration<T>) {
    (c.ema, c.clip) = (ema, clip)
    c.rule = optimizer ?? c.rule
    c.standardising = standardise ?? c.standardising
    c.minimumRate = minLr ?? c.minimumRate
    c.warmupRate = warmupLr ?? c.warmupRate
  }
}
