import ArgumentParser
import Evaluation

/// How a table looks.
struct TableStyleOptions: ParsableArguments {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, tsv, markdown
  }

  @Option(help: "Aligned text, columns with tabs between, or Markdown.")
  var format = Format.text

  @Option(help: ArgumentHelp("Digits after the point (default: 2; all that count in tsv).", valueName: "n"))
  var digits: Int?

  @Option(help: ArgumentHelp("Digits that count, in place of --digits.", valueName: "n"))
  var significant: Int?

  @Option(help: ArgumentHelp("A line above the table.", valueName: "text"))
  var title: String?

  @Option(help: ArgumentHelp("What stands above the names of the rows.", valueName: "text"))
  var heading: String?

  @Option(
    help: ArgumentHelp(
      "Least widths of columns of text, with commas between; the last holds for all others.", valueName: "list"))
  var widths: String?

  @Flag(help: "No names of columns.")
  var noHeader = false

  @Flag(help: "Do not say where a cell has fewer values than others.")
  var noCounts = false

  mutating func validate() throws {
    if digits != nil && significant != nil { throw ValidationError("--digits and --significant exclude each other") }
    if let digits, !(0...15).contains(digits) { throw ValidationError("--digits is \(digits): expected 0 to 15") }
    if let significant, !(1...17).contains(significant) {
      throw ValidationError("--significant is \(significant): expected 1 to 17")
    }
    if heading != nil && noHeader { throw ValidationError("--heading and --no-header exclude each other") }
    if noCounts && format == .tsv {
      throw ValidationError("--no-counts has no meaning in tsv, where counts are a column")
    }
    if widths != nil && format != .text { throw ValidationError("--widths has no meaning in \(format.rawValue)") }
    _ = try parsedWidths()
  }

  private func parsedWidths() throws -> [Int] {
    try (widths?.split(separator: ",", omittingEmptySubsequences: false) ?? []).map { part in
      guard let width = Int(part), (1...1000).contains(width) else {
        throw ValidationError("--widths is \(widths ?? ""): expected numbers from 1 to 1000, with commas between")
      }
      return width
    }
  }

  func text(of table: ResultTable) throws -> String {
    var style = TableStyle()
    (style.title, style.heading) = (title, heading)
    (style.hasHeader, style.showsCounts) = (!noHeader, !noCounts)
    style.widths = try parsedWidths()
    if let significant {
      style.numbers = .significant(significant)
    } else if let digits {
      style.numbers = .digits(digits)
    } else if format == .tsv {
      style.numbers = .whole
    }
    switch format {
    case .text: return table.text(style)
    case .tsv: return table.tsv(style)
    case .markdown: return table.markdown(style)
    }
  }
}
