import ArgumentParser
import CommandLineKit
import Evaluation
import Parallel
import Schemas
import TensorStream

/// `pmae-evaluate compare`: whether one classifier is better than another.
struct Compare: Tool {
  static let configuration = CommandConfiguration(
    abstract: "Whether one of two classifiers is right more often on the same pictures.")

  @Argument(help: "Predictions of one, as predict writes them, with labels.", completion: .file())
  var first: String

  @Argument(help: "Predictions of the other; one of the two may be -, standard input.", completion: .file())
  var second: String

  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var threads: ThreadOptions

  mutating func validate() throws {
    if first == "-" && second == "-" { throw ValidationError("only one of the operands can be standard input") }
  }

  mutating func execute() throws {
    let read = try [first, second].map { path in
      try StoredPredictions(StreamReader(path: path, kinds: [StreamKind.predictions.rawValue]))
    }
    let verdicts = try StoredPredictions.verdicts(read[0], read[1])
    let found = PairedComparison(
      verdicts.first, verdicts.second, bootstrap: intervals.bootstrap, threads: ThreadPool(threads: threads.count))
    var line = JSONLine()
    try line.add("task", "compare")
    try line.add("first", read[0].source)
    try line.add("second", read[1].source)
    line.add("images", verdicts.first.count)
    line.add("first_top1", found.first.value)
    line.add("second_top1", found.second.value)
    line.add(found.difference)
    line.add("only_first", found.onlyFirst)
    line.add("only_second", found.onlySecond)
    line.add("p", found.p)
    let better = found.p >= 0.05 ? "neither" : found.difference.value > 0 ? "first" : "second"
    try line.add("better", better)
    try line.write()
  }
}
