import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Pretraining
import Schemas
import TensorStream

extension PretrainTool {
  /// What `--suggest` allows beside it: all else it answers itself.
  private static let besideSuggest: Set<String> = ["--suggest", "--threads"]

  /// - Throws: `ValidationError` for an option beside `--suggest` that would be passed over.
  static func checkSuggest(_ arguments: [String]) throws {
    func name(_ argument: String) -> String { String(argument.prefix { $0 != "=" }) }
    guard arguments.contains(where: { name($0) == "--suggest" }) else { return }
    for argument in arguments where argument.hasPrefix("--") && !besideSuggest.contains(name(argument)) {
      throw ValidationError("\(name(argument)) is not for --suggest, which says what it may be: only --threads is")
    }
  }

  /// Prints settings for a set of pictures, with reasons, and how long the run takes here.
  /// - Throws: `Failure(.data)` for what is no images stream.
  func printSuggestion() throws {
    let extent = try PictureExtent(paths: suggest)
    let suggestion = Suggestion(for: extent)
    let (trial, c) = (suggestion.trial, suggestion.configuration)
    func line(_ what: String, _ text: String) throws {
      try StandardOutput.write(
        what.padding(toLength: max(30, what.count + 2), withPad: " ", startingAt: 0) + text + "\n")
    }
    func percent(_ accuracy: Trial.Accuracy) -> String {
      String(format: "k-NN %.1f %%, logistic regression %.1f %%", accuracy.neighbours, accuracy.line)
    }
    try line(
      "pictures",
      "\(grouped(extent.pictures)), \(Int(extent.side.rounded())) pixels a side on average, "
        + (extent.channels == 1 ? "grey" : "in colour"))
    try line(
      "nearest trial", "\(trial.set), \(grouped(trial.pictures)) pictures, views of \(trial.encoder.image) pixels")
    try line("  what MAE's features had", percent(trial.features))
    try line("  what pixels had", percent(trial.pixels))
    for (options, reason) in suggestion.reasons { try line(options, reason) }
    for choice in Self.precisions {
      let seconds = try Self.secondsPerStep(c, choice, threads: threads.count)
      try line(
        "time in \(choice.rawValue)",
        "\(duration(seconds * Double(suggestion.steps))) here, by some steps on noise with \(counted(threads.count, "thread"))"
      )
    }
    for warning in suggestion.warnings { try line("beware", warning) }
    try StandardOutput.write("\n" + suggestion.commands(images: suggest, output: "run") + "\n")
  }

  /// float32, and what `auto` chooses where that is another.
  private static var precisions: [PrecisionChoice] {
    PrecisionChoice.auto.precision == .bfloat16 ? [.float32, .bfloat16] : [.float32]
  }

  /// The median of some steps on noise, kept nowhere.
  private static func secondsPerStep(
    _ configuration: Configuration<MAE.Options>, _ choice: PrecisionChoice, threads: Int
  ) throws -> Double {
    var c = configuration
    c.precision = choice.precision
    let run = try PretrainingRun<MAE>(c, engine: Engine(threads: threads, precision: c.precision))
    var seconds: [Double] = []
    // The first steps reserve memory.
    try run.time(13, on: nil) { seconds.append($0.seconds) }
    let steady = seconds.dropFirst(2).sorted()
    return steady[steady.count / 2]
  }
}
