import ArgumentParser
import Compute
import Evaluation
import Training

/// Options of what a measure learns from.
struct BankOptions: ParsableArguments {
  @Flag(help: "Take off each feature's mean over the first set, and divide by its deviation.")
  var standardise = false

  @Option(
    help: ArgumentHelp(
      "Then take the n principal components of the first set, each divided by its deviation.", valueName: "n"))
  var whiten: Int?

  mutating func validate() throws {
    if let whiten, !(1...FeatureWhitening.widest ~= whiten) {
      throw ValidationError("--whiten is \(whiten): expected a number from 1 to \(FeatureWhitening.widest)")
    }
  }

  /// Scales sets by the statistics of the first, whose name is `source`.
  func scale(_ sets: inout [Features], source: String, engine: Engine) throws {
    if sets.isEmpty { return }
    if standardise {
      let scaling = FeatureScaling(sets[0], engine: engine)
      for place in sets.indices { scaling.apply(to: &sets[place], engine: engine) }
    }
    if let whiten {
      let whitening = try FeatureWhitening(sets[0], count: whiten, source: source, engine: engine)
      for place in sets.indices { sets[place] = whitening(sets[place], engine: engine) }
    }
  }

  /// What results call it.
  var scaling: String {
    let words = (standardise ? ["standardised"] : []) + (whiten.map { ["whitened \($0)"] } ?? [])
    return words.isEmpty ? "none" : words.joined(separator: ", ")
  }
}
