// pmae-inspect: what is in this file, where did it come from, is it whole?

import ArgumentParser
import CommandLineKit
import Foundation
import TensorStream

struct InspectTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-inspect",
    abstract: "Say what is in a tensor stream, where it came from, and whether it is whole.",
    usage: "pmae-inspect [options] [file ...]",
    version: pmaeVersion)

  @Flag(help: "Read all of it: is it whole, and every checksum right?")
  var check = false

  @Flag(help: "Print the tools, arguments and inputs that it was made by and from.")
  var lineage = false

  @Option(help: ArgumentHelp("Print this tensor's values, one row a line, tabs between.", valueName: "name"))
  var tensor: String?

  @Option(help: ArgumentHelp("With --tensor, the rows to print: 5, 0-9, 100- or all.", valueName: "range"))
  var rows: RowRange?

  @Flag(help: "Print one JSON object a file.")
  var json = false

  @Argument(help: ArgumentHelp("Streams or safetensors files; - or nothing is standard input.", valueName: "file"))
  var files: [String] = []

  mutating func validate() throws {
    if tensor != nil, check || lineage || json {
      throw ValidationError("--tensor prints values alone: it does not go with --check, --lineage or --json")
    }
    if rows != nil, tensor == nil {
      throw ValidationError("--rows chooses the rows of a tensor: it needs --tensor")
    }
    if files.filter({ $0 == "-" }).count > 1 {
      throw ValidationError("standard input can be read only once")
    }
  }

  func execute() throws {
    var firstFailure: Failure.Kind?
    for file in files.isEmpty ? ["-"] : files {
      do {
        try inspect(Operand(file))
      } catch let failure as Failure where failure.kind != .brokenPipe {
        // One bad file does not keep the others from being looked at.
        try StandardOutput.flush()
        log("pmae-inspect", failure.message)
        firstFailure = firstFailure ?? failure.kind
      }
    }
    if let firstFailure { throw ExitCode(firstFailure.rawValue) }
  }

  private func inspect(_ operand: Operand) throws {
    if let tensor {
      var printer = TensorPrinter(operand: operand, tensor: tensor, range: rows)
      return try printer.run()
    }
    let contents = try check ? Contents(checking: operand) : Contents(of: operand)
    if json {
      return try StandardOutput.write(jsonText(contents, lineage: lineage) + "\n")
    }
    if lineage {
      try StandardOutput.write(lineageText(contents))
    }
    if let finding = contents.finding {
      try StandardOutput.write("\(printable(contents.name)): whole: \(finding)\n")
    }
    if !lineage, !check {
      try StandardOutput.write(summary(contents))
    }
  }
}
