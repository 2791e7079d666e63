import ArgumentParser
import CommandLineKit
import Evaluation
import Foundation
import Parallel
import Schemas
import TensorStream
import Training

/// `pmae-evaluate join`: what several jobs made of the parts of a set, as one job would have made it.
struct Join: Tool {
  static let configuration = CommandConfiguration(
    abstract: "What embed or knn made of the parts of a set, as that of the whole.")

  @Argument(
    help: ArgumentHelp("Files of all parts, in any order: features, or lines of knn --part.", valueName: "parts"),
    completion: .file())
  var files: [String]

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var output: OutputOptions

  mutating func execute() throws {
    if try isText(files[0]) {
      try joinLines()
    } else {
      try interruptible { try joinFeatures() }
    }
  }

  private func isText(_ path: String) throws -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw Failure(.noInput, "\(path): cannot be opened: \(String(cString: strerror(errno)))")
    }
    return try file.read(upToCount: 1)?.first == UInt8(ascii: "{")
  }

  private func joinLines() throws {
    let parts = try files.map { try NeighbourPart(path: $0) }
    let order = try SetPart.order(parts.map { ($0.name, $0.part) })
    let first = parts[0]
    for other in parts.dropFirst() {
      guard other.lines.count == first.lines.count, zip(other.lines, first.lines).allSatisfy({ $0.isOne(with: $1) })
      else { throw Failure(.data, "\(other.name): is not of the measurement that \(first.name) is of") }
    }
    let pool = ThreadPool(threads: threads.count)
    let file = try TextFile(path: output.output, overwrite: output.overwrite)
    for (place, line) in first.lines.enumerated() {
      let score = NeighbourScore(k: line.measured.k, ranks: order.flatMap { parts[$0].lines[place].ranks })
      try file.write(try line.measured.line(score, line.bootstrap, threads: pool).text + "\n")
    }
    try file.finish()
  }

  private func joinFeatures() throws {
    let readers = try files.map { try StreamReader(path: $0, kinds: [StreamKind.features.rawValue]) }
    let headers = try readers.map { try FeaturesHeader($0.header, source: $0.name) }
    let order = try SetPart.order(zip(readers, headers).map { ($0.name, $1.part) })
    let (reader, first) = (readers[order[0]], headers[order[0]])
    // A class has the name that some stream gives it.
    var classes: [String]?
    for place in order {
      let (name, header) = (readers[place].name, headers[place])
      if (header.width, header.pool) != (first.width, first.pool) {
        throw Failure(
          .data,
          "\(name): features of width \(header.width), pool \(header.pool), but those of \(reader.name) are of width "
            + "\(first.width), pool \(first.pool)")
      }
      try requireSameSeparator(first.labelSeparator, of: reader.name, header.labelSeparator, of: name)
      try requireSameClasses(classes, of: "the features before it", header.classes, of: name)
      classes = ClassNames.merged(classes, header.classes)
    }
    var header = first
    header.classes = classes
    header.part = nil
    let metadata = try Provenance.metadata(
      tool: toolName, inputs: order.map { (readers[$0].name, readers[$0].header, readers[$0].digest) }
    ).merging(header.metadata()) { $1 }
    let sink = try FeatureSink(.stz, output, rows: 0, header: header, metadata: metadata)
    let progress = Progress(tool: toolName, what: "parts", total: order.count, quiet: output.quiet)
    var (encoder, hasLabels, done) = (String?.none, Bool?.none, 0)
    for (number, place) in order.enumerated() {
      let name = readers[place].name
      let found = try StoredFeatures(readers[place], needsLabels: false, mayBePart: true) { _ in Interruption.requested
      }
      guard let found else {
        sink.cancel()
        Interruption.exitAsSignal()
      }
      if let own = found.encoderDigest, let other = encoder, own != other {
        throw Failure(.data, "\(name): made by another encoder than those of \(reader.name)")
      }
      if let hasLabels, hasLabels == found.features.labels.isEmpty {
        throw Failure(.data, "\(name): has \(hasLabels ? "no labels" : "labels"), unlike \(reader.name)")
      }
      (encoder, hasLabels) = (encoder ?? found.encoderDigest, !found.features.labels.isEmpty)
      // Parts know their places in the set. Sets of their own are counted on, as pmae-augment counts several.
      let features = first.part == nil ? found.features.renumbered(from: done) : found.features
      let rows = Embed.rows(width: first.width)
      for start in stride(from: 0, to: features.count, by: rows) {
        try sink.write(features.rows(Array(start..<min(start + rows, features.count))))
      }
      done += features.count
      progress.update(number + 1)
    }
    try sink.finish()
    progress.finish()
  }
}
