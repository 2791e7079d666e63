import Foundation
import TensorStream

/// How the numbers of a table are written.
public enum NumberFormat: Equatable, Sendable {
  /// So many digits after the point.
  case digits(Int)
  /// So many digits that count, and all before the point.
  case significant(Int)
  /// Nine digits that count and no more than are needed: every digit that a result of these tools has.
  case whole

  func text(_ value: Double) -> String {
    switch self {
    case .digits(let count): return String(format: "%.\(count)f", value)
    case .significant(let count):
      let magnitude = value == 0 ? 0 : Int(log10(abs(value)).rounded(.down))
      return String(format: "%.\(min(max(count - 1 - magnitude, 0), 30))f", value)
    case .whole: return JSONLine.number(value)
    }
  }
}

/// What the forms of a table share.
public struct TableStyle: Sendable {
  public var title: String?
  /// What stands above the names of the rows.
  public var heading: String?
  public var hasHeader = true
  public var numbers = NumberFormat.digits(2)
  /// Says of how many values a cell is, where that is fewer than the most that one has.
  public var showsCounts = true
  /// Least widths of the columns of text, the names of the rows first; the last holds for all others. Empty: as they need.
  public var widths: [Int] = []

  public init() {}
}

extension ResultTable {
  /// A missing cell, in every form.
  static let missing = "-"

  /// `71.30 ± 0.42`, `1.67 (1.60..1.72)`, `71.30`.
  private func cell(_ sample: Sample?, _ style: TableStyle) -> String {
    guard let sample else { return Self.missing }
    func text(_ value: Double) -> String { style.numbers.text(value) }
    let count = style.showsCounts && sample.count < most ? " (\(sample.count))" : ""
    switch spread {
    case .none: return text(sample.mean)
    case .deviation: return text(sample.mean) + (sample.deviation.map { " ± " + text($0) } ?? "") + count
    case .range:
      let range = sample.count > 1 ? " (\(text(sample.least))..\(text(sample.most)))" : ""
      return text(sample.median) + range + count
    }
  }

  /// Aligned columns, for people. A line's end in a label begins another line of the header.
  public func text(_ style: TableStyle) -> String {
    var lines: [[String]] = []
    if style.hasHeader {
      let headers = [[style.heading ?? ""]] + columns.map(\.names)
      let split = headers.map { $0.flatMap { $0.components(separatedBy: "\n") }.map { printable($0) } }
      for line in 0..<(split.map(\.count).max() ?? 0) { lines.append(split.map { line < $0.count ? $0[line] : "" }) }
    }
    for row in rows { lines.append([printable(row.name)] + row.cells.map { cell($0, style) }) }
    let widths = (0...columns.count).map { place in
      max(
        style.widths.isEmpty ? 0 : style.widths[min(place, style.widths.count - 1)],
        (lines.map { $0[place].count }.max() ?? 0) + (place == 0 ? 0 : style.widths.isEmpty ? 2 : 1))
    }
    let shown = lines.map { line in
      let cells = zip(line, widths).enumerated().map { place, cell in
        let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
        return place == 0 ? cell.0 + space : space + cell.0
      }
      return cells.joined().replacing(#/ +$/#, with: "") + "\n"
    }
    let remarks = remarks(style).map { $0 + "\n" }
    return (style.title.map { printable($0) + "\n" } ?? "") + shown.joined() + (remarks.isEmpty ? "" : "\n")
      + remarks.joined()
  }

  /// Tabs between, for programs: a column a key, then those of each statistic.
  public func tsv(_ style: TableStyle) -> String {
    func clean(_ text: String) -> String { String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 }) }
    var lines: [[String]] = []
    if let title = style.title { lines.append(["# " + clean(title)]) }
    if style.hasHeader {
      let names = columns.map { $0.names.joined(separator: ".") }
      let statistics: [String]
      switch spread {
      case .none: statistics = [""]
      case .deviation: statistics = ["", "_deviation", "_n"]
      case .range: statistics = ["", "_least", "_most", "_n"]
      }
      lines.append(
        [style.heading ?? rowKeys[0]] + rowKeys.dropFirst() + names.flatMap { name in statistics.map { name + $0 } })
    }
    for row in rows {
      lines.append(
        [row.label] + row.others.map { $0.value ?? Self.missing } + row.cells.flatMap { statistics($0, style) })
    }
    return lines.map { $0.map(clean).joined(separator: "\t") + "\n" }.joined()
  }

  private func statistics(_ sample: Sample?, _ style: TableStyle) -> [String] {
    func text(_ value: Double?) -> String { value.map(style.numbers.text) ?? Self.missing }
    let count = sample.map { String($0.count) } ?? "0"
    switch spread {
    case .none: return [text(sample?.mean)]
    case .deviation: return [text(sample?.mean), text(sample?.deviation), count]
    case .range: return [text(sample?.median), text(sample?.least), text(sample?.most), count]
    }
  }

  /// GitHub's tables.
  public func markdown(_ style: TableStyle) -> String {
    func clean(_ text: String) -> String {
      text.components(separatedBy: "\n").map { printable($0) }.joined(separator: "<br>").replacing("|", with: "\\|")
    }
    var lines: [[String]] = []
    if style.hasHeader { lines.append([style.heading ?? ""] + columns.map { $0.names.joined(separator: "\n") }) }
    lines += rows.map { row in [row.name] + row.cells.map { cell($0, style) } }
    var text = lines.map { "| " + $0.map(clean).joined(separator: " | ") + " |\n" }
    if style.hasHeader { text.insert("|---" + columns.map { _ in "|---:" }.joined() + "|\n", at: 1) }
    let remarks = remarks(style).map { "\n" + clean($0) + "\n" }
    return (style.title.map { "**\(clean($0))**\n\n" } ?? "") + text.joined() + remarks.joined()
  }
}
