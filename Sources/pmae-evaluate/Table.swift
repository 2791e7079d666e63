import ArgumentParser
import CommandLineKit
import Evaluation
import TensorStream

extension TableQuery.Spread: ExpressibleByArgument {}

/// `pmae-evaluate table`: results of several runs in rows and columns.
struct Table: Tool {
  static let configuration = CommandConfiguration(
    abstract: "A table of results: means and deviations, in rows and columns.")

  @Argument(help: "Files of JSON lines, or of columns with tabs between; - is standard input.", completion: .file())
  var files = ["-"]

  @OptionGroup var choice: TableChoiceOptions
  @OptionGroup var style: TableStyleOptions

  mutating func validate() throws {
    if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("- comes twice: standard input is read once") }
  }

  mutating func execute() throws {
    let pattern = try choice.path.map { try PathPattern($0) }
    let records = try files.flatMap { try ResultFile.read(path: $0, pattern: pattern) }
    let table = try ResultTable(records, try choice.query(of: records))
    try StandardOutput.write(style.text(of: table))
  }
}
