import ArgumentParser
import Evaluation
import Training

/// How many of the first set's labels are used.
struct LabelOptions: ParsableArguments {
  @Option(
    name: .customLong("labels-per-class"),
    help: ArgumentHelp("Learn from so many images of each class, drawn at random (default: all).", valueName: "n"))
  var perClass: Int?

  mutating func validate() throws {
    if let perClass, perClass < 1 { throw ValidationError("--labels-per-class is \(perClass): expected 1 or more") }
  }

  /// - Throws: `Failure(.data)` where a class has fewer images.
  func choose(_ bank: Features, seed: UInt64, source: String) throws -> Features {
    guard let perClass else { return bank }
    return bank.rows(try LabelledRows.few(perClass, of: bank.labels, seed: seed, source: source))
  }
}
