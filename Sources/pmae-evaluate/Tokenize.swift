import ArgumentParser
import Autodiff
import CommandLineKit
import Compute
import Evaluation
import Networks
import Parallel
import Schemas
import TensorStream
import Training

/// `pmae-evaluate tokenizer`: visual tokens for pretraining, by k-means over patches.
struct Tokenize: Tool {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Fit a tokenizer of patches to views, for pmae-pretrain --tokenizer.")

  @Argument(help: "The views; - is standard input.", completion: .file())
  var views = "-"

  @Option(help: "The recipe among the views (default: their only one, or simple).")
  var view: String?

  @Option(help: ArgumentHelp("Side of a patch, in pixels.", valueName: "pixels"))
  var patch = 16

  @Option(help: ArgumentHelp("Visual tokens.", valueName: "n"))
  var vocabulary = 8192

  @Option(help: ArgumentHelp("Patches to fit them to, from the first images of the views.", valueName: "n"))
  var patches = 65536

  @Option(help: ArgumentHelp("Rounds of Lloyd's algorithm.", valueName: "n"))
  var iterations = 10

  @Option(help: ArgumentHelp("The seed of all that is drawn.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var output: OutputOptions

  /// Images that are read at a time.
  private static var chunk: Int { 64 }

  mutating func validate() throws {
    for (name, value, range) in [
      ("--patch", patch, 1...1 << 14), ("--vocabulary", vocabulary, 2...1 << 20),
      ("--patches", patches, 2...1 << 28), ("--iterations", iterations, 0...100_000),
    ] where !range.contains(value) {
      throw ValidationError("\(name) is \(value): expected \(range.lowerBound) to \(grouped(range.upperBound))")
    }
  }

  mutating func execute() throws {
    try output.checkEarly()
    let reader = try StreamReader(path: views, kinds: [StreamKind.views.rawValue])
    let batches = try batches(reader)
    let engine = Engine(threads: threads.count)
    try interruptible {
      let x = try sample(batches, engine: engine)
      guard x.rows >= vocabulary else {
        throw Failure(
          .data,
          "\(reader.name): has \(grouped(x.rows)) patches for a --vocabulary of \(grouped(vocabulary)): expected as many at least"
        )
      }
      let tokenizer = fit(x, of: batches, engine: engine)
      let header = TokenizerHeader(patch: patch, channels: batches.channels)
      let metadata = Provenance.metadata(
        tool: toolName, inputs: [(name: reader.name, header: reader.header, digest: reader.digest)]
      ).merging(header.metadata()) { $1 }
      try StreamWriter.writeOneRecord(
        path: output.output, kind: StreamKind.tokenizer.rawValue, metadata: metadata,
        tensors: TokenizerFile.tensors(tokenizer), overwrite: output.overwrite)
    }
  }

  private func batches(_ reader: StreamReader) throws -> ViewBatches {
    let header = try ViewsHeader(reader.header, source: reader.name)
    let there = header.recipes.map(\.name)
    guard let name = view ?? (there.count == 1 ? there[0] : there.first { $0 == "simple" }) else {
      throw Failure(.data, "\(reader.name): its views are \(there.joined(separator: ", ")): choose one with --view")
    }
    if let view, !there.isEmpty, !there.contains(view) {
      throw Failure(.data, "\(reader.name): has no view \"\(view)\", only \(there.joined(separator: ", "))")
    }
    return try ViewBatches(
      reader, views: [.anySide(name, multiple: patch)], channels: header.normalisation?.mean.count ?? 3)
  }

  /// As many patches of each image as make the number that is wanted, drawn by the image's own numbers: [R, W].
  private func sample(_ batches: ViewBatches, engine: Engine) throws -> Tensor {
    let images = batches.rowsPerEpoch
    let progress = Progress(tool: toolName, what: "images", total: images, quiet: output.quiet)
    var result: Tensor?
    var filled = 0
    for first in stride(from: 0, to: images, by: Self.chunk) {
      let rows = try batches.take(min(Self.chunk, images - first))
      let name = batches.views[0].name
      let pictures = rows.images(name, of: batches)
      let all = pictures.side / patch * (pictures.side / patch)
      let each = min(all, (patches + images - 1) / images)
      let places = randomNumbers(rows.index, seed: seed, epoch: 0, .shuffle).enumerated().flatMap { image, random in
        var random = random
        return random.permutation(all).prefix(each).sorted().map { Int32(image * all + $0) }
      }
      let part = PatchTokenizer.rows(pictures, places: places, patch: patch, engine: engine)
      let total = min(patches, images * each)
      let x = result ?? Tensor(rows: total, columns: part.columns, values: engine.memory.take(total * part.columns))
      let count = min(part.rows, total - filled)
      engine.rows(over: x, part, count: count, cost: part.columns) { [filled] x, part, range in
        for r in range { x.row(filled + r).update(from: part.row(r), count: part.columns) }
      }
      result = x
      filled += count
      progress.update(first + rows.count)
      if Interruption.requested { Interruption.exitAsSignal() }
      if filled == total { break }
    }
    progress.finish()
    guard let result else { preconditionFailure("views without rows") }
    return result
  }

  private func fit(_ x: Tensor, of views: ViewBatches, engine: Engine) -> PatchTokenizer {
    let progress = Progress(tool: toolName, what: "centres", total: vocabulary, quiet: output.quiet)
    var random = CounterRandom(seed: seed, epoch: 0, sample: 0, purpose: Purpose.weights.rawValue)
    let uniform = (0..<vocabulary).map { _ in random.uniform() }
    let seeds = TokenizerFit.seeds(x, uniform: uniform, engine: engine) { done in
      progress.update(done)
      return Interruption.requested
    }
    guard let seeds else { Interruption.exitAsSignal() }
    progress.finish()
    let tokenizer = PatchTokenizer(
      vocabulary: vocabulary, patch: patch, channels: views.channels,
      mean: views.normalisation.mean.map { Float($0) }, deviation: views.normalisation.std.map { Float($0) },
      values: seeds.flatMap { x.values(ofRow: $0) }, engine: engine)
    for round in 0..<iterations {
      let distance = TokenizerFit.iterate(tokenizer, on: x, engine: engine)
      note(toolName, "round \(round + 1): mean squared distance \(distance)", quiet: output.quiet)
      if Interruption.requested { Interruption.exitAsSignal() }
    }
    return tokenizer
  }
}
