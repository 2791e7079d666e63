// pmae-inspect: what is in this file, where did it come from, is it whole?

import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Imaging
import Inspection
import Pretraining
import Runs
import Schemas
import TensorStream

extension RowRange: ExpressibleByArgument {}

struct InspectTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-inspect",
    abstract: "Say what is in a tensor stream, where it came from, and whether it is whole; show pictures and runs.",
    usage: """
      pmae-inspect [options] [file ...]
      pmae-inspect --contact-sheet out.jpg [file]
      pmae-inspect --curves run ... out.svg
      pmae-inspect --look run views out.jpg
      """,
    version: pmaeVersion)

  @Flag(help: "Read all of it: is it whole, and every checksum right?")
  var check = false

  @Flag(help: "Print the tools, arguments and inputs that it was made by and from.")
  var lineage = false

  @Option(help: ArgumentHelp("Print this tensor's values, one row a line, tabs between.", valueName: "name"))
  var tensor: String?

  @Flag(help: "Print the file that each row leads back to: its number, name and class, one row a line, tabs between.")
  var names = false

  @Option(
    help: ArgumentHelp(
      "With --tensor, --names, --contact-sheet or --look, the rows to show: 5, 0-9, 100- or all.", valueName: "range"))
  var rows: RowRange?

  @Flag(help: "Print one JSON object a file.")
  var json = false

  @Flag(help: "Print what a set of pictures is like: sizes, classes, colour, duplicates, black and broken ones.")
  var statistics = false

  @Option(help: ArgumentHelp("With --statistics, how many of each finding are listed.", valueName: "n"))
  var limit: Int?

  @Option(
    help: ArgumentHelp("Draw images, or views with what was drawn for them, on a sheet.", valueName: "out.jpg"))
  var contactSheet: String?

  @Flag(help: "Draw the metrics of runs, by gnuplot: the operands are run folders, then the SVG file.")
  var curves = false

  @Flag(help: "Draw what a run makes of some images: the operands are the run folder, views, and the JPEG file.")
  var look = false

  @Option(
    help: ArgumentHelp(
      "With --look, whose attention and features: student, or a teacher that the objective has (default: the best).",
      valueName: "part"))
  var part: String?

  @OptionGroup var sheet: SheetOptions
  @OptionGroup var threads: ThreadOptions

  @Argument(help: ArgumentHelp("Streams or safetensors files; - or nothing is standard input.", valueName: "file"))
  var files: [String] = []

  mutating func validate() throws {
    let modes = [
      ("--tensor", tensor != nil), ("--names", names), ("--statistics", statistics),
      ("--contact-sheet", contactSheet != nil),
      ("--curves", curves), ("--look", look), ("--check or --lineage", check || lineage),
    ].filter(\.1).map(\.0)
    if tensor != nil, modes.count > 1 || json {
      throw ValidationError(
        "--tensor prints values alone: it does not go with \(modes.count > 1 ? modes[1] : "--json")")
    }
    if modes.count > 1 { throw ValidationError("\(modes[0]) does not go with \(modes[1])") }
    if json, names || contactSheet != nil || curves || look { throw ValidationError("\(modes[0]) has no --json") }
    func require(_ option: String, _ isGiven: Bool, _ isUsed: Bool, _ by: String) throws {
      if isGiven && !isUsed { throw ValidationError("\(option) has no effect here: it needs \(by)") }
    }
    let isSheet = contactSheet != nil
    try require(
      "--rows", rows != nil, tensor != nil || names || isSheet || look, "--tensor, --names, --contact-sheet or --look")
    try require("--limit", limit != nil, statistics, "--statistics")
    try require("--part", part != nil, look, "--look")
    try require("--columns", sheet.columns != nil, isSheet, "--contact-sheet")
    try require("--size", sheet.size != nil, isSheet || look, "--contact-sheet or --look")
    try require("--overwrite", sheet.overwrite, isSheet || curves || look, "--contact-sheet, --curves or --look")
    try require("--threads", threads.threads != nil, statistics || look, "--statistics or --look")
    if let limit, !(0...1 << 20).contains(limit) {
      throw ValidationError("--limit is \(limit): expected 0 to 1,048,576")
    }
    if isSheet, files.count > 1 { throw ValidationError("--contact-sheet is of one stream, not of \(files.count)") }
    if look, files.count != 3 {
      throw ValidationError("--look takes three operands: a run folder, views, and the JPEG file")
    }
    if curves, files.count < 2 { throw ValidationError("--curves takes run folders and then the SVG file") }
    if files.filter({ $0 == "-" }).count > 1 {
      throw ValidationError("standard input can be read only once")
    }
  }

  func execute() throws {
    if curves { return try drawCurves(runs: Array(files.dropLast()), to: files[files.count - 1]) }
    if look {
      try sheet.check(files[2])
      let checkpoint = try CheckpointFile.at(files[0]) { log("pmae-inspect", $0) }
      let objective = try objective(ofConfiguration: checkpoint.header.config, source: checkpoint.path)
      return try drawLook(objective, checkpoint, views: files[1], to: files[2])
    }
    if let contactSheet {
      return try drawContactSheet(InspectedFile(files.first ?? "-"), to: contactSheet)
    }
    var firstFailure: Failure.Kind?
    for file in files.isEmpty ? ["-"] : files {
      do {
        try inspect(InspectedFile(file))
      } catch let failure as Failure where failure.kind != .brokenPipe {
        // The other files are read even where one is bad.
        try StandardOutput.flush()
        log("pmae-inspect", failure.message)
        firstFailure = firstFailure ?? failure.kind
      }
    }
    if let firstFailure { throw ExitCode(firstFailure.rawValue) }
  }

  private func inspect(_ operand: InspectedFile) throws {
    if let tensor {
      var printer = TensorPrinter(operand: operand, tensor: tensor, range: rows)
      return try printer.run()
    }
    if names { return try printNames(of: operand, range: rows) }
    if statistics {
      return try printStatistics(operand, threads: threads.count, limit: limit ?? 20, json: json)
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

  private func drawContactSheet(_ operand: InspectedFile, to output: String) throws {
    try sheet.check(output)
    let (picture, cutAfter) = try Inspection.contactSheet(
      of: operand, range: rows, side: sheet.size ?? 192, columns: sheet.columns)
    try sheet.write(picture, to: output)
    if let cutAfter {
      log("pmae-inspect", "\(operand.name): the first \(counted(cutAfter, "row")) (--rows chooses others)")
    }
  }

  private func drawLook<O: Objective>(_: O.Type, _ checkpoint: CheckpointFile, views: String, to output: String) throws
  {
    var count: Int?
    if let rows {
      guard let last = rows.last else {
        throw Failure(
          .usage, "--rows \(rows.first)-: --look needs to know the last row: --rows \(rows.first)-\(rows.first + 7)")
      }
      guard last - rows.first < 256 else { throw Failure(.usage, "--rows: more images than the 256 of a sheet") }
      count = last - rows.first + 1
    }
    let reader = try StreamReader(path: views, kinds: [StreamKind.views.rawValue])
    let engine = Engine(threads: threads.count)
    let run = try RunModel<O>(checkpoint, engine: engine)
    let look = try Look(run, reader, first: rows?.first ?? 0, count: count, part: part, engine: engine)
    let classes = try ClassNames.of(reader.header, source: reader.name) ?? []
    let drawing = LookSheet(look, size: sheet.size ?? 192, classes: classes)
    let title = "\(run.source) after step \(run.steps): attention and components of the \(look.part.name)"
    try sheet.write(try drawing.drawn(title: title), to: output)
  }

  private func drawCurves(runs: [String], to output: String) throws {
    try sheet.check(output)
    let curves = try Curves(try runs.map { try RunMetrics($0) })
    let script = try curves.gnuplotScript()
    try writeWholeFile(try Gnuplot.run(script), path: output, overwrite: sheet.overwrite)
    if !curves.missing.isEmpty {
      log("pmae-inspect", "left out, since no run has numbers for it: \(curves.missing.joined(separator: "; "))")
    }
  }
}
