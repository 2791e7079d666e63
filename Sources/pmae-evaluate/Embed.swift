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
    abstract: "An encoder's features of views, as a stream.")

  @Argument(help: "Encoder weights, .stz or .safetensors.", completion: .file())
  var encoder: String

  @Argument(help: "The views, with labels or without; - is standard input.", completion: .file())
  var views = "-"

  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions
  @OptionGroup var output: OutputOptions

  /// Rows of a record.
  private static var rows: Int { 16 * FeatureExtractor.chunk }

  mutating func execute() throws {
    let file = try input.weights(encoder, quiet: output.quiet)
    let engine = input.engine(quiet: output.quiet)
    let extractor = try pooling.extractor(file, input, engine: engine, quiet: output.quiet)
    let (views, count) = try input.views(self.views, for: file, labels: .optional)
    let reader = views.batches.reader

    var metadata = Provenance.metadata(
      tool: toolName,
      inputs: [
        (name: reader.name, header: reader.header, digest: reader.digest),
        (name: file.source, header: file.record, digest: file.digest),
      ])
    let header = FeaturesHeader(
      width: extractor.width, pool: extractor.pooling.rawValue, classes: views.batches.header.classes)
    metadata.merge(try header.metadata()) { $1 }
    let writer = try StreamWriter(
      path: output.output, kind: StreamKind.features.rawValue, metadata: metadata, overwrite: output.overwrite)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: output.quiet)
      var done = 0
      while done < count {
        let rows = min(Self.rows, count - done)
        let part = try extractor.features(of: views, count: rows, engine: engine) { chunk in
          progress.update(done + chunk)
          return Interruption.requested
        }
        guard let part else {
          writer.cancel()
          Interruption.exitAsSignal()
        }
        var tensors: [NamedTensor] = [
          (FeatureTensors.features, StoredTensor(part.values, shape: [rows, part.width])),
          (ViewTensors.index, StoredTensor(part.index, shape: [rows])),
        ]
        if !part.labels.isEmpty { tensors.append((Targets.label, StoredTensor(part.labels, shape: [rows]))) }
        tensors += part.names?.tensors ?? []
        try writer.write(tensors)
        done += rows
      }
      try views.batches.finish()
      try writer.finish()
      progress.finish()
    }
  }
}
