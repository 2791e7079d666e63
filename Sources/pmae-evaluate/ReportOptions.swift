import ArgumentParser
import CommandLineKit
import Report
import TensorStream

/// `--report`.
struct ReportOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write a page for people there, one file of HTML.", valueName: "file"))
  var report: String?

  @Flag(help: "Replace what is there of the files that it writes.")
  var overwrite = false

  mutating func validate() throws {
    if report == "-" || report == "" {
      throw ValidationError("--report is \"\(report ?? "")\": standard output has the figures; name a file")
    }
  }

  /// The file, opened early, so that no work is lost to a name that cannot be.
  func file() throws -> TextFile? { try report.map { try TextFile(path: $0, overwrite: overwrite) } }
}
