import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Foundation
import Networks
import Schemas
import TensorStream
import Training

/// `pmae-evaluate predict`: what a model says of each picture.
struct Predict: Tool {
  static let configuration = CommandConfiguration(
    abstract: "A model's most probable classes of each picture, as a stream or a table.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case stz, tsv
  }

  @Argument(help: "A model that pmae-finetune wrote, or a classifier of timm's.", completion: .file())
  var model: String

  @Argument(help: "The views, with labels or without; - is standard input.", completion: .file())
  var views = "-"

  @Option(
    help: ArgumentHelp(
      "A stream, or a table with tabs between its columns (default: tsv where the output's name ends in .tsv, else stz).",
      valueName: "name"))
  var format: Format?

  @Option(
    help: ArgumentHelp("How many classes a picture has (default: 5, or all where there are fewer).", valueName: "n"))
  var top: Int?

  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  /// Rows of a record.
  private static var rows: Int { 16 * FeatureExtractor.chunk }

  mutating func validate() throws {
    if let top, top < 1 { throw ValidationError("--top is \(top): expected 1 or more") }
  }

  mutating func execute() throws {
    let loaded = try LoadedClassifier(model, pooling: pooling, input: input, quiet: output.quiet)
    let (file, classes) = (loaded.file, loaded.classifier.classes)
    if let top, top > classes {
      throw Failure(.usage, "--top is \(top), but \(file.source) tells only \(classes) classes apart")
    }
    let top = self.top ?? min(5, classes)
    let (views, count) = try input.views(self.views, for: file, labels: .optional)
    let reader = views.batches.reader
    do {
      if views.sets != nil {
        throw Failure(.data, "\(reader.name): its labels are sets of classes, which predictions have no place for")
      }
      try requireSameClasses(file.classNames, of: file.source, views.batches.header.classes, of: reader.name)
    } catch let failure as Failure {
      throw Failure(failure.kind, failure.message + " (pmae-augment --no-labels leaves labels out)")
    }
    let header = PredictionsHeader(
      top: top, classCount: classes, classes: ClassNames.merged(file.classNames, views.batches.header.classes))
    let sink = try sink(header, file, reader)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: output.quiet)
      var done = 0
      while done < count {
        let rows = min(Self.rows, count - done)
        let part = try Predictions(
          of: loaded.classifier, on: views, count: rows, top: top, isSigmoid: file.head?.isSigmoid ?? false,
          engine: loaded.engine
        ) { chunk in
          progress.update(done + chunk)
          return Interruption.requested
        }
        guard let part else {
          sink.cancel()
          Interruption.exitAsSignal()
        }
        try sink.write(part)
        done += rows
      }
      try views.batches.finish()
      try sink.finish()
      progress.finish()
    }
  }

  /// Where predictions go.
  private struct Sink {
    let write: (Predictions) throws -> Void
    let finish: () throws -> Void
    let cancel: () -> Void
  }

  private func sink(_ header: PredictionsHeader, _ file: WeightsFile, _ reader: StreamReader) throws -> Sink {
    switch format ?? (output.output.hasSuffix(".tsv") ? .tsv : .stz) {
    case .stz:
      var metadata = Provenance.metadata(
        tool: toolName,
        inputs: [
          (name: reader.name, header: reader.header, digest: reader.digest),
          (name: file.source, header: file.record, digest: file.digest),
        ])
      metadata.merge(try header.metadata()) { $1 }
      let writer = try StreamWriter(
        path: output.output, kind: StreamKind.predictions.rawValue, metadata: metadata, overwrite: output.overwrite)
      return Sink(write: { try writer.write($0.tensors) }, finish: { try writer.finish() }, cancel: writer.cancel)
    case .tsv where output.output == "-":
      try StandardOutput.write(Predictions.heading(top: header.top))
      return Sink(
        write: { try StandardOutput.write($0.lines(classes: header.classes)) }, finish: StandardOutput.flush,
        cancel: {})
    case .tsv:
      let text = try TextFile(path: output.output, overwrite: output.overwrite)
      try text.write(Predictions.heading(top: header.top))
      return Sink(
        write: { try text.write($0.lines(classes: header.classes)) }, finish: text.finish, cancel: text.cancel)
    }
  }
}
