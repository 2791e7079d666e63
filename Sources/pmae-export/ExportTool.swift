import ArgumentParser
import CommandLineKit
import Foundation
import Pretraining
import Runs
import Schemas
import TensorStream
import Training

struct ExportTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-export",
    abstract: "Take an encoder out of a pretraining run, as weights in timm's names.",
    version: pmaeVersion)

  @Argument(help: "A run folder or its checkpoint.stz.", completion: .file())
  var run: String

  @Option(
    help: ArgumentHelp(
      "The network to write: student, or a teacher that the objective has, such as labelling-teacher.",
      valueName: "part"))
  var part = "student"

  @Option(help: "The output's format (default: by its name, .safetensors or else stz).")
  var format: WeightsFormat?

  @OptionGroup var output: OutputOptions

  mutating func execute() throws {
    let checkpoint = try CheckpointFile.at(run) { note("pmae-export", $0, quiet: output.quiet) }
    let encoder = try RunEncoder(checkpoint, part: part)
    let provenance = Provenance.metadata(
      tool: "pmae-export", inputs: [(name: checkpoint.path, header: checkpoint.record, digest: checkpoint.digest)])
    try (format ?? WeightsFormat(path: output.output)).write(
      encoder.tensors, metadata: encoder.metadata.merging(provenance) { $1 }, to: output.output,
      overwrite: output.overwrite)
    let values = encoder.tensors.reduce(0) { $0 + $1.tensor.count }
    note(
      "pmae-export", "\(encoder.part.name) after step \(grouped(checkpoint.steps)): \(grouped(values)) weights",
      quiet: output.quiet)
  }
}

extension WeightsFormat: ExpressibleByArgument {}
