import ArgumentParser
import Compute
import Evaluation
import Training

/// Options of what a measure learns from.
struct BankOptions: ParsableArguments {
  @Flag(help: "Take off each feature's mean over the first set, and divide by its deviation.")
  var standardise = false

  /// Scales sets by the statistics of the first.
  func scale(_ sets: inout [Features], engine: Engine) {
    if !standardise || sets.isEmpty { return }
    let scaling = FeatureScaling(sets[0], engine: engine)
    for place in sets.indices { scaling.apply(to: &sets[place], engine: engine) }
  }

  /// What results call it.
  var scaling: String { standardise ? "standardised" : "none" }
}
