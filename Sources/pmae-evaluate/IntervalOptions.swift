import ArgumentParser
import Evaluation
import TensorStream

/// The intervals of figures.
struct IntervalOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Resamples for the interval of each figure; 0: no intervals.", valueName: "n"))
  var resamples = 1000

  @Option(help: ArgumentHelp("What is drawn at random follows from this number.", valueName: "n"))
  var seed: UInt64 = 0

  mutating func validate() throws {
    if !(0...1_000_000).contains(resamples) {
      throw ValidationError("--resamples is \(resamples): expected 0 to 1000000")
    }
  }

  var bootstrap: Bootstrap { Bootstrap(resamples: resamples, seed: seed) }
}

extension JSONLine {
  /// A figure, and the ends of its interval as `NAME_low` and `NAME_high`.
  mutating func add(_ figure: Figure) {
    add(figure.name, figure.value)
    if let interval = figure.interval {
      add(figure.name + "_low", interval.lowerBound)
      add(figure.name + "_high", interval.upperBound)
    }
  }
}
