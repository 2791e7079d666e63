import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Pretraining
import Schemas
import TensorStream

extension PretrainTool {
  /// What `--suggest` allows beside it: of all else but help it says itself what it may be.
  private static let besideSuggest: Set<String> = ["--suggest", "--threads", "--help", "--version"]

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
    let trial = suggestion.trial
    func line(_ what: String, _ text: String) throws { try printLine(what, text, width: 30) }
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
      var c = suggestion.configuration
      c.precision = choice.precision
      let seconds = try timed(MAE.self, c, steps: 11).profile.secondsPerStep
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
}
