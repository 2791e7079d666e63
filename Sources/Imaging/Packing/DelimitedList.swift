// A list in columns: which of them hold paths and labels, and whether the first row only says so.

import TensorStream

/// A row of a list.
struct ListRow {
  let path: [UInt8]
  /// nil: none.
  let label: [UInt8]?
  /// The part of the set that it belongs to, where the list says one.
  var split: [UInt8]?
}

struct DelimitedList {
  private var text: DelimitedText
  private let list: String
  private var columns: Columns?
  private var first: [[UInt8]]?
  private let options: SourceOptions
  private let files: ListFiles
  var line: Int { text.line }

  private struct Columns {
    var path: Int
    var label: Int?
    var split: Int?
    /// As the header has them; nil without one.
    var names: [String]?
    var count: Int
  }

  init(_ bytes: [UInt8], separator: UInt8, list: String, files: ListFiles, options: SourceOptions) {
    text = DelimitedText(bytes, separator: separator)
    (self.list, self.files, self.options) = (list, files, options)
  }

  /// Throws `Damage.malformed` for a row that is none, `Failure(.usage)` or `.data` for columns that are not there or not known.
  mutating func next() throws -> ListRow? {
    guard let row = try text.next() else { return nil }
    guard let columns else {
      let found = try columns(of: row)
      columns = found
      return found.names == nil ? try listRow(row, found) : try next()
    }
    return try listRow(row, columns)
  }

  private func listRow(_ row: [[UInt8]], _ columns: Columns) throws -> ListRow {
    if row.count > columns.count, let extra = row[columns.count...].first(where: { !$0.isEmpty }) {
      throw Damage.malformed(
        "\(row.count) fields, but \(columns.count) in the first row: \(quoted(printable(extra))) is one too many; "
          + "a field with a separator in it must be in quotes")
    }
    func field(_ place: Int?) -> [UInt8]? { place.flatMap { $0 < row.count && !row[$0].isEmpty ? row[$0] : nil } }
    guard let path = field(columns.path), !path.contains(0) else {
      throw Damage.malformed("has no path in column \(columns.path + 1)")
    }
    return ListRow(path: path, label: field(columns.label), split: field(columns.split))
  }

  /// A first row whose path is a file's, or at least a picture's by its suffix, is a picture; any other is a header,
  /// and so is one whose words say it.
  private func columns(of row: [[UInt8]]) throws -> Columns {
    let texts = row.map { String(decoding: $0, as: UTF8.self) }
    let shown = row.map { printable($0) }.joined(separator: ", ")
    let path = try ListNames.column("--path-column", options.pathColumn, in: texts, list: list)
    let label = try ListNames.column("--label-column", options.labelColumn, in: texts, list: list)
    let known = ListNames.place(of: ListNames.paths, in: texts)
    let byName = path?.isName ?? false || label?.isName ?? false
    let first = path?.place ?? (label?.place == 0 ? 1 : 0)
    let isPicture = { (place: Int) in
      place < row.count && (files.isThere(row[place]) || PictureParts.isPicture(row[place]))
    }
    let isFile = first < row.count && (files.isFile(row[first]) || PictureParts.isPicture(row[first]))
    let isHeader = byName || ListNames.areWords(texts, path: first, isFile: isFile) || !isPicture(first)
    if isHeader, byName || path != nil || known != nil {
      let usual = ListNames.place(of: ListNames.labels, in: texts)
      let place = path?.place ?? known ?? first
      return Columns(
        path: place, label: label?.place ?? (usual == place ? nil : usual),
        split: ListNames.place(of: ListNames.splits, in: texts), names: texts, count: row.count)
    }
    guard isPicture(first) else {
      let later = row.indices.first(where: isPicture).map { "; column \($0 + 1) looks like it" } ?? ""
      throw Failure(
        .data,
        "\(list): line \(line): \(quoted(printable(row[0]))) is no picture, so this is taken for a row of columns' names: "
          + "\(shown): none is known to hold paths: --path-column names it, by its name or its number from 1, and "
          + "--label-column that of labels\(later)")
    }
    guard first < row.count else { throw Failure(.usage, "\(list): has one column, which --label-column takes") }
    return Columns(
      path: first, label: label?.place ?? (row.count == 2 ? 1 - first : row.count > 2 && first == 0 ? 1 : nil),
      names: nil,
      count: row.count)
  }

  /// Where labels come from.
  var origin: String {
    guard let columns, let label = columns.label else { return list }
    return "column \(columns.names.map { quoted($0[label]) } ?? String(label + 1)) of \(list)"
  }

  /// Why there are no labels.
  var absence: String {
    guard let columns else { return "" }
    guard let label = columns.label else {
      guard columns.count > 1 else { return "\(list) has one column, of paths" }
      guard let names = columns.names else {
        return
          "\(list) has \(columns.count) columns without names: --label-column names the one of labels by its number"
      }
      return "\(list) has no column that is known to hold labels: its columns are "
        + "\(names.map { printable($0.utf8) }.joined(separator: ", ")): --label-column names it"
    }
    return "column \(columns.names.map { quoted($0[label]) } ?? String(label + 1)) of \(list) is empty"
  }
}
