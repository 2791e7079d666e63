import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Foundation
import Networks
import Schemas
import TensorStream
import Training

struct EvaluateTool: Tool {
  /// Of a part each process writes what no other does.
  static var ranks: RankUse {
    CommandLine.arguments.contains { $0 == "--part" || $0.hasPrefix("--part=") } ? .apart : .alone
  }

  static let configuration = CommandConfiguration(
    commandName: "pmae-evaluate",
    abstract: "Measure a model or an encoder on views, say what it makes of each picture, and make tables of results.",
    version: pmaeVersion,
    subcommands: [
      Classify.self, Segment.self, Predict.self, Neighbours.self, Linear.self, Retrieve.self, Cluster.self, Embed.self,
      Join.self, Compare.self, Tokenize.self, Table.self,
    ])

  mutating func execute() throws {
    throw ValidationError(
      "expected a command: classify, segment, predict, knn, linear, retrieve, cluster, embed, join, compare, tokenizer or table"
    )
  }
}

let toolName = "pmae-evaluate"

extension PrecisionChoice: ExpressibleByArgument {}

/// Runs work that a signal may end. It stops after the images that it is computing, and the process ends by the signal.
func interruptible(_ body: () throws -> Void) throws {
  Interruption.watch()
  do {
    try body()
  } catch {
    // The signal that came to this process has also ended the writer upstream.
    if Interruption.requested { Interruption.exitAsSignal() }
    throw error
  }
}

/// How the operands are read, and what the network runs on.
struct InputOptions: ParsableArguments {
  @Option(help: "The recipe among the views (default: their only one, or center).")
  var view: String?

  @Option(help: "Attention heads, for another program's file, where none says.")
  var heads: Int?

  @Option(help: "Side of the square views, in pixels (default: the encoder's own).")
  var image: Int?

  @Option(help: "What the network's matrices are multiplied in.")
  var precision = PrecisionChoice.float32

  @OptionGroup var threads: ThreadOptions

  mutating func validate() throws {
    if let reason = precision.unavailable { throw ValidationError(reason) }
  }

  func engine(quiet: Bool) -> Engine {
    let engine = Engine(threads: threads.count, precision: precision.precision)
    for text in precision.notes + engine.notes { note(toolName, text, quiet: quiet) }
    return engine
  }

  /// A file of weights, for pictures of the size that is asked for.
  func weights(_ path: String, quiet: Bool) throws -> WeightsFile {
    let file = try WeightsFile(path: path, heads: heads, image: image)
    for text in file.notes { note(toolName, "\(file.source): \(text)", quiet: quiet) }
    return file
  }

  /// The views of one operand, and how many rows they have.
  func views(
    _ path: String, for file: WeightsFile, labels: LabelledViews.Labels
  ) throws -> (views: LabelledViews, count: Int) {
    let reader = try StreamReader(path: path, kinds: [StreamKind.views.rawValue])
    let views = try LabelledViews(
      reader, view: view, preferred: ["center"], encoder: file.encoder, normalisation: file.normalisation,
      labels: labels)
    try views.batches.requireOneEpoch()
    return (views, views.batches.rowsPerEpoch)
  }
}

/// Whether a path is a file, which can be read again, and not a pipe.
func isRegularFile(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.isRegularFile
}

extension JSONLine {
  /// Prints the line at once.
  func write() throws {
    try StandardOutput.write(text + "\n")
    try StandardOutput.flush()
  }
}
