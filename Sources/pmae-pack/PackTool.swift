import ArgumentParser
import CommandLineKit
import Foundation
import Imaging
import Parallel
import Runs
import Schemas
import TensorStream

struct PackTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-pack",
    abstract: "Packs pictures, and labels where there are any, into an images stream.",
    discussion: """
      A SOURCE is a folder of picture files, with one sub-folder for each class or none; a tar file; a list of files as CSV, \
      TSV, JSON lines or plain text; picture files; a CIFAR batch or its folder; an IDX file; or - for one of them on standard \
      input. See pmae-pack(1).
      """,
    version: pmaeVersion)

  @Argument(
    help: ArgumentHelp("Folders, tar files, lists, picture files, CIFAR batches, IDX files.", valueName: "source"))
  var sources: [String]

  @OptionGroup var reading: ReadingOptions
  @OptionGroup var choice: ChoiceOptions

  @Option(help: ArgumentHelp("Make pictures smaller whose short side is longer than n.", valueName: "n"))
  var shortSide: Int?

  @Option(help: ArgumentHelp("The JPEG quality of pictures made smaller, 1 to 100 (default: 90).", valueName: "n"))
  var quality: Int?

  @Option(
    help: ArgumentHelp("Channels to read pictures with: 1 for grey, 3 for colour (default: 3).", valueName: "n"))
  var channels: Int?

  @Option(help: ArgumentHelp("Pictures in each record (default: about a megabyte of them).", valueName: "n"))
  var rowsPerRecord: Int?

  @Option(
    help: ArgumentHelp(
      "Write streams of at most this size, as 512M, to the output's name with %05d.", valueName: "size"))
  var shardSize: ByteCount?

  @Flag(help: "Keep the shards that are there, and go on after them.")
  var resume = false

  @Flag(help: "End at the first bad picture, instead of leaving it out.")
  var strict = false

  @OptionGroup var output: OutputOptions
  @OptionGroup var threads: ThreadOptions

  private static let defaultQuality = 90

  func validate() throws {
    for (name, value) in [("--rows-per-record", rowsPerRecord), ("--short-side", shortSide)] {
      if let value, value < 1 { throw ValidationError("\(name) is \(value): expected at least 1") }
    }
    if let quality, !(1...100).contains(quality) {
      throw ValidationError("--quality is \(quality): expected 1 to 100")
    }
    if let channels, channels != 1 && channels != 3 {
      throw ValidationError("--channels is \(channels): expected 1 or 3")
    }
    if quality != nil && shortSide == nil { throw ValidationError("--quality needs --short-side") }
    if resume && shardSize == nil { throw ValidationError("--resume needs --shard-size: it keeps whole shards") }
    if resume && output.overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
    if sources.filter({ $0 == "-" }).count > 1 { throw ValidationError("standard input can be read only once") }
  }

  func execute() throws {
    let destination = try PackedOutput(
      output.output, shardSize: shardSize?.bytes, overwrite: output.overwrite, resumes: resume)
    try shardSize == nil ? output.checkEarly() : destination.checkEarly()
    let pool = ThreadPool(threads: threads.count)
    StallWatch.start { path, seconds in
      log("pmae-pack", "\(path): still being read, after \(seconds) s: is the disk or the network there?")
    }
    defer { StallWatch.stop() }
    let pictures = try PictureSet(sources, options: reading.options(spool: temporaryFolder), pool: pool)
    if reading.requireLabels, pictures.classes == nil {
      throw Failure(.data, "\(pictures.name): no labels: \(pictures.origin)")
    }
    if pictures.maskClasses == nil, !reading.masks.ignoreId.isEmpty {
      throw Failure(.usage, "\(pictures.name): --ignore-id goes with masks, and there are none")
    }
    if let channels, let shape = pictures.pixelShape, shape.channels != channels {
      throw Failure(
        .usage, "\(pictures.name): --channels \(channels): these are pixels of \(counted(shape.channels, "channel"))")
    }
    if shortSide != nil, let shape = pictures.pixelShape {
      throw Failure(
        .usage,
        "\(pictures.name): --short-side is for picture files, these are pixels of \(shape.height) x \(shape.width)")
    }
    let chosen = try choice.selection.choose(from: pictures)
    var packing = PicturePacking()
    packing.rowsPerRecord = rowsPerRecord
    packing.isStrict = strict
    packing.shrinking = shortSide.map { Shrinking(shortSide: $0, quality: quality ?? Self.defaultQuality) }
    packing.channels = channels
    packing.labelSeparator = reading.labelSeparator
    let progress = Progress(tool: "pmae-pack", what: "pictures", total: chosen.count, quiet: output.quiet)
    let metadata = Provenance.metadata(
      tool: "pmae-pack", arguments: Self.lasting(Array(CommandLine.arguments.dropFirst())), inputs: [])
    let summary = try packing.write(
      pictures, chosen, metadata: metadata, to: destination, pool: pool,
      report: { log("pmae-pack", "\($0.message): left out") }, progress: { progress.update($0) })
    progress.finish()
    if summary.kept > 0 { note("pmae-pack", "\(counted(summary.kept, "shard")) kept", quiet: output.quiet) }
    if let several = summary.several { log("pmae-pack", several) }
    if summary.skipped > 0 {
      log("pmae-pack", "\(counted(summary.skipped, "bad picture")) left out, \(grouped(summary.rows)) packed")
    }
    let shown = pictures.pixelShape?.channels ?? channels ?? 3
    for line in pictures.notes + ClosingLine.warnings(summary, channels: shown) {
      note("pmae-pack", line, quiet: output.quiet)
    }
    note("pmae-pack", ClosingLine.text(pictures, summary, separator: reading.labelSeparator), quiet: output.quiet)
  }

  /// Beside the output, where there is room for it; for a pipe, where temporary files go.
  private var temporaryFolder: String {
    if output.output == "-" { return ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp" }
    let folder = parentFolder(of: output.output)
    return folder.isEmpty ? "." : folder
  }

  /// The arguments that the result depends on, so that equal results have equal bytes. It leaves out the number of
  /// threads, whether it took one run or several, and options that only turn something into an error.
  private static func lasting(_ arguments: [String]) -> [String] {
    var kept: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--": return kept + [argument] + rest
      case "--threads": _ = rest.popFirst()
      case "--resume", "--overwrite", "--quiet", "--allow-empty-classes", "--require-labels": break
      default: if !argument.hasPrefix("--threads=") { kept.append(argument) }
      }
    }
    return kept
  }
}
