import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Networks
import Schemas
import TensorStream
import Training

/// `pmae-evaluate embed`: features as a stream.
struct Embed: Tool {
  static let configuration = CommandConfiguration(
    abstract: "An encoder's features of views, or their pixels, as a stream.")

  @Argument(
    help: ArgumentHelp(
      "Encoder weights (not with --pixels); the views, with labels or without, or - (default: -).",
      valueName: "operands"),
    completion: .file())
  var operands: [String] = []

  @Option(
    help: ArgumentHelp(
      "A stream, an array of NumPy's, or a table with tabs between its columns (default: as the output's name ends, else stz).",
      valueName: "name"))
  var format: FeatureFormat?

  @OptionGroup var part: SetPartOption
  @OptionGroup var source: FeatureOptions
  @OptionGroup var output: OutputOptions

  /// Rows of a record: fewer where pixels make them wide.
  static func rows(width: Int) -> Int {
    FeatureExtractor.chunk * min(16, max(1, (1 << 24) / (width * FeatureExtractor.chunk)))
  }

  mutating func validate() throws { _ = try split() }

  private func split() throws -> FeatureOperands {
    try source.split(operands, sets: ["views"], isLastOptional: true)
  }

  mutating func execute() throws {
    let operands = try split()
    var maker = try FeatureMaker(source, operands, quiet: output.quiet)
    let parts = try maker.parts(of: operands.sets[0], labels: .optional)
    let reader = parts.views.batches.reader
    let rows = try part.rows(of: parts.count, chunk: FeatureExtractor.chunk, source: reader.name)
    var header = FeaturesHeader(
      width: parts.width, pool: maker.pool, classes: parts.views.batches.header.classes)
    header.labelSeparator = parts.views.batches.header.labelSeparator
    header.part = part.part
    let metadata = try Provenance.metadata(
      tool: toolName,
      inputs: [(name: reader.name, header: reader.header, digest: reader.digest)]
        + (maker.weights.map { [(name: $0.source, header: $0.record, digest: $0.digest)] } ?? [])
    ).merging(header.metadata()) { $1 }
    let sink = try FeatureSink(
      format ?? FeatureFormat(path: output.output), output, rows: rows.count, header: header, metadata: metadata)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: rows.count, quiet: output.quiet)
      var done = 0
      let batches = parts.views.batches
      try batches.skip(rows.lowerBound)
      while done < rows.count {
        let count = min(Self.rows(width: parts.width), rows.count - done)
        let part = try parts.take(count) { chunk in
          progress.update(done + chunk)
          return Interruption.requested
        }
        guard let part else {
          sink.cancel()
          Interruption.exitAsSignal()
        }
        try sink.write(part)
        done += count
      }
      // What is left of a file is other jobs' matter. A pipe is read to its end, or its writer would be broken off.
      if rows.upperBound == parts.count || !isRegularFile(operands.sets[0]) {
        try batches.skip(parts.count - rows.upperBound)
        try batches.finish()
      }
      try sink.finish()
      progress.finish()
    }
  }
}
