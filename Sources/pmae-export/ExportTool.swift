import ArgumentParser
import CommandLineKit
import Foundation
import Networks
import TensorStream

struct ExportTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-export",
    abstract: "Take an encoder out of a pretraining run, as weights in timm's names.",
    version: pmaeVersion)

  @Argument(help: "A run folder or its checkpoint.stz.", completion: .file())
  var run: String

  @Option(help: "The network that is wanted.")
  var part = CheckpointPart.labellingTeacher

  @Option(help: "The output's format (default: by its name, .safetensors or else stz).")
  var format: WeightsFormat?

  @OptionGroup var output: OutputOptions

  mutating func execute() throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: run, isDirectory: &isFolder)
    let path = exists && isFolder.boolValue ? run + "/checkpoint.stz" : run
    let reader = try StreamReader(path: path, kinds: ["checkpoint"])
    guard try reader.next() == nil else {
      throw Failure(.data, "\(reader.name): a checkpoint in several records, expected a file of one record")
    }
    let encoder = try part.encoder(in: reader.header, source: reader.name)
    let provenance = Provenance.metadata(
      tool: "pmae-export", inputs: [(name: reader.name, header: reader.header, digest: reader.digest)])
    try (format ?? WeightsFormat(path: output.output)).write(
      encoder.tensors, metadata: encoder.metadata.merging(provenance) { $1 }, to: output.output,
      overwrite: output.overwrite)
    let values = encoder.tensors.reduce(0) { $0 + $1.tensor.count }
    note(
      "pmae-export", "\(part.rawValue) after step \(encoder.metadata["step"] ?? "?"): \(grouped(values)) weights",
      quiet: output.quiet)
  }
}

extension CheckpointPart: ExpressibleByArgument {}
extension WeightsFormat: ExpressibleByArgument {}
