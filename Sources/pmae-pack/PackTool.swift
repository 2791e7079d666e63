import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Imaging
import TensorStream

struct PackTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-pack",
    abstract: "Packs pictures, and labels where there are any, into an images stream.",
    discussion: """
      SOURCE is a folder of JPEG and PNG files, with one sub-folder for each class or none, or an IDX file of pictures, plain or gzip. \
      See pmae-pack(1).
      """,
    version: pmaeVersion)

  @Argument(help: ArgumentHelp("A folder of JPEG and PNG files, or an IDX file.", valueName: "source"))
  var source: String

  @Option(help: ArgumentHelp("An IDX file of labels for an IDX file of pictures.", valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("Names of the IDX labels 0, 1, …, with commas between them.", valueName: "names"))
  var classNames: String?

  @Flag(help: "Shuffle the pictures first.")
  var shuffle = false

  @Option(help: ArgumentHelp("The seed of the shuffle.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("Leave out the first n pictures (after shuffling).", valueName: "n"))
  var skip: Int?

  @Option(help: ArgumentHelp("Take the first n pictures of each class.", valueName: "n"))
  var perClass: Int?

  @Option(help: ArgumentHelp("Take at most n pictures.", valueName: "n"))
  var limit: Int?

  @Option(help: ArgumentHelp("Pictures in each record (default: about a megabyte of them).", valueName: "n"))
  var rowsPerRecord: Int?

  @OptionGroup var output: OutputOptions
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    for (name, value) in [("--per-class", perClass), ("--limit", limit), ("--rows-per-record", rowsPerRecord)] {
      if let value, value < 1 { throw ValidationError("\(name) is \(value): expected at least 1") }
    }
    if let skip, skip < 0 { throw ValidationError("--skip is \(skip): expected at least 0") }
    if classNames != nil && labels == nil { throw ValidationError("--class-names needs --labels") }
  }

  func execute() throws {
    try refuseOutput()
    let pictures = try open()
    var selection = PictureSelection()
    selection.shuffle = shuffle ? seed : nil
    selection.skip = skip ?? 0
    selection.perClass = perClass
    selection.limit = limit
    try pack(pictures, choosing: selection)
  }

  /// Refuses an output that could not be written before hours go into looking at pictures.
  private func refuseOutput() throws {
    if output.output == "-" {
      guard isatty(STDOUT_FILENO) == 0 else {
        throw Failure(.usage, "standard output: is a terminal; a stream goes to a file or a pipe")
      }
      return
    }
    // Of the file that a link leads to, as the writer looks at it. Pipes and devices are written to as they are.
    let path = URL(fileURLWithPath: output.output).resolvingSymlinksInPath().path
    let kind = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    if kind == .typeDirectory { throw Failure(.cannotCreate, "\(output.output): is a folder") }
    if kind == .typeRegular, !output.overwrite {
      throw Failure(.cannotCreate, "\(output.output): exists already; it is not replaced without --overwrite")
    }
  }

  private func open() throws -> any PictureSource {
    var isFolder: ObjCBool = false
    if source != "-", FileManager.default.fileExists(atPath: source, isDirectory: &isFolder), isFolder.boolValue {
      if labels != nil {
        throw Failure(.usage, "\(source): --labels goes with an IDX file; a folder's classes are its sub-folders")
      }
      return try PictureFolder(source)
    }
    return try IDXPictures(
      images: source, labels: labels,
      classNames: classNames?.split(separator: ",", omittingEmptySubsequences: false).map { String($0) })
  }

  private func pack(_ pictures: some PictureSource, choosing selection: PictureSelection) throws {
    let chosen = try selection.choose(from: pictures)
    let looking = Progress(tool: "pmae-pack", what: "pictures checked", total: chosen.count, quiet: output.quiet)
    let pool = ThreadPool(threads: threads.count)
    let metadata = try pictures.metadata(chosen, pool: pool) { looking.update($0) }
      .merging(Provenance.metadata(tool: "pmae-pack", inputs: [])) { $1 }
    looking.finish()
    let writer = try StreamWriter(
      path: output.output, kind: "images", metadata: metadata, overwrite: output.overwrite)
    let writing = Progress(tool: "pmae-pack", what: "pictures", total: chosen.count, quiet: output.quiet)
    try pictures.write(chosen, rowsPerRecord: rowsPerRecord, to: writer) { writing.update($0) }
    try writer.finish()
    writing.finish()
  }
}
