import TensorStream

/// Results in rows and columns, with the statistics of each cell. `text`, `tsv` and `markdown` are its forms.
public struct ResultTable: Sendable {
  public struct Row: Sendable {
    /// The first key's value, or the label chosen for it.
    public let label: String
    /// The other keys; nil where the results have no value.
    public let others: [(key: String, value: String?)]
    /// A cell a column; nil where there is no result.
    public let cells: [Sample?]
    /// Whether other rows have to be better than this one.
    public let isBaseline: Bool

    /// The label, then `, key = value` for each other key that has one.
    public var name: String {
      label + others.compactMap { key, value in value.map { ", \(key) = \($0)" } }.joined()
    }
  }

  public struct Column: Equatable, Sendable {
    /// The value of the columns' key and the field, as the table calls them; one of the two where the other says nothing.
    public let names: [String]
  }

  public let rowKeys: [String]
  public let columns: [Column]
  public let rows: [Row]
  public let spread: TableQuery.Spread
  /// The most values that a cell has, of those rows too that were not chosen.
  public let most: Int

  /// - Throws: `Failure(.data)` where the results do not make the table; it names them.
  public init(_ all: [ResultRecord], _ query: TableQuery) throws {
    var records = try query.select(all)
    if let ratio = query.ratio { records = try ratio.divided(records, query) }
    (rowKeys, spread) = (query.rows, query.spread)

    // One that is shown twice is counted once.
    let fields = Set(query.values.map(\.value)).sorted()
    var cells: [CellKey: [(value: Double, place: String)]] = [:]
    var known: [CellKey: [String: String]] = [:]
    for record in records {
      let row = query.rows.map { record[$0]?.text }
      for field in fields {
        guard let number = record[field]?.number else { continue }
        let key = CellKey(row: row, column: query.columns.flatMap { record[$0]?.text }, field: field)
        if let over = query.over, let text = record[over]?.text,
          let before = known[key, default: [:]].updateValue(record.place, forKey: text)
        {
          throw Failure(
            .data,
            "\(key): \(over) \(text) comes twice (\(before), \(record.place)): more keys for rows tell them apart")
        }
        cells[key, default: []].append((number * query.scale, record.place))
      }
    }
    if query.spread == .none, let (key, values) = cells.first(where: { $1.count > 1 }) {
      throw Failure(
        .data,
        "\(key): has \(values.count) values (\(values[0].place), \(values[1].place)), and --spread none shows one")
    }
    most = cells.values.map(\.count).max() ?? 0

    var columnValues: [TableQuery.Choice?] = [nil]
    if let key = query.columns {
      columnValues =
        query.chosenColumns
        ?? Self.inOrder(records.map { [$0[key]] }).map { TableQuery.Choice(($0.first ?? nil) ?? "") }
    }
    let chosen = columnValues.flatMap { column in query.values.map { (column: column, field: $0) } }
    columns = chosen.map { column, field in
      let name = field.label ?? field.value
      guard let column else { return Column(names: [name]) }
      return Column(names: [column.label ?? column.value] + (query.values.count > 1 ? [name] : []))
    }
    let found = Self.inOrder(records.map { record in query.rows.map { record[$0] } })
    let samples = cells.mapValues { Sample($0.map(\.value)) }
    // A chosen value may be written another way than the results have it: 0.90 is 0.9.
    var spelling: [String: String] = [:]
    if let key = query.columns {
      for value in columnValues.compactMap({ $0?.value }) {
        let there = records.lazy.compactMap { $0[key] }
        spelling[value] = (there.first { $0.text == value } ?? there.first { $0.isMeant(by: value) })?.text
      }
    }
    func meant(_ values: [String?], _ text: String) -> Bool {
      ResultRecord.Value.text(values[0] ?? "").isMeant(by: text)
    }
    let baselines = query.baselines ?? ["pixels"]
    for name in query.baselines ?? [] where !found.contains(where: { meant($0, name) }) {
      // Not yet measured: its row is left out as others are.
      if query.skipsEmptyRows, query.chosenRows?.contains(where: { meant([$0.value], name) }) == true { continue }
      let there = found.compactMap { $0[0] }.prefix(20).map { quoted($0) }.joined(separator: ", ")
      throw Failure(.data, "no row is \"\(name)\", which is to be beaten: there is \(there)")
    }
    func row(_ values: [String?], label: String?) -> Row {
      Row(
        label: label ?? values[0] ?? "", others: Array(zip(query.rows, values).dropFirst()),
        cells: chosen.map { column, field in
          samples[CellKey(row: values, column: column.map { spelling[$0.value] ?? $0.value }, field: field.value)]
        },
        isBaseline: baselines.contains { meant(values, $0) })
    }
    guard let choices = query.chosenRows else {
      rows = found.map { row($0, label: nil) }
      return
    }
    rows = choices.flatMap { choice -> [Row] in
      let meant = found.filter { meant($0, choice.value) }
      if meant.isEmpty && !query.skipsEmptyRows {
        return [row([choice.value] + query.rows.dropFirst().map { _ in nil }, label: choice.label)]
      }
      return meant.map { row($0, label: choice.label) }
    }
  }

  private struct CellKey: Hashable, CustomStringConvertible {
    let row: [String?]
    let column: String?
    let field: String

    var description: String { (row + [column, field]).compactMap { $0 }.joined(separator: ", ") }
  }

  /// Different tuples of values, by the first, then by the second, …: numbers ascending where all are numbers, else as they come.
  /// A tuple without a value comes before those with one.
  private static func inOrder(_ tuples: [[ResultRecord.Value?]]) -> [[String?]] {
    guard let width = tuples.first?.count else { return [] }
    let ranks = (0..<width).map { place -> [String: Int] in
      var seen: Set<String> = []
      var different = tuples.compactMap { $0[place] }.filter { seen.insert($0.text).inserted }
      let numbers = different.compactMap(\.number)
      if numbers.count == different.count {
        different = zip(different, numbers).sorted { $0.1 < $1.1 }.map(\.0)
      }
      return Dictionary(uniqueKeysWithValues: different.enumerated().map { ($1.text, $0) })
    }
    var seen: Set<[String?]> = []
    let different = tuples.map { $0.map { $0?.text } }.filter { seen.insert($0).inserted }
    func rank(_ tuple: [String?]) -> [Int] { zip(tuple, ranks).map { text, ranks in text.flatMap { ranks[$0] } ?? -1 } }
    return different.map { (tuple: $0, rank: rank($0)) }.sorted { $0.rank.lexicographicallyPrecedes($1.rank) }.map(
      \.tuple)
  }
}

extension TableQuery.Ratio {
  /// - Throws: `Failure(.data)` where a result has no partner or several.
  func divided(_ records: [ResultRecord], _ query: TableQuery) throws -> [ResultRecord] {
    var order: [[String?]] = []
    var groups: [[String?]: [ResultRecord]] = [:]
    let keys = (query.rows + [query.columns, query.over].compactMap { $0 }).filter { $0 != key }
    for record in records {
      let group = keys.map { record[$0]?.text }
      if groups[group] == nil { order.append(group) }
      groups[group, default: []].append(record)
    }
    return try order.map { group in
      func one(_ wanted: String) throws -> ResultRecord {
        let meant = groups[group, default: []].filter { $0[key]?.isMeant(by: wanted) ?? false }
        if meant.count == 1 { return meant[0] }
        let place = groups[group]?.first?.place ?? ""
        throw Failure(
          .data,
          "\(place): a ratio needs one result with \(key)=\(wanted) beside it, but there are \(meant.count): "
            + "--over names the key that tells the pairs apart")
      }
      let (above, below) = (try one(numerator), try one(denominator))
      var result = above
      result[key] = .text("\(numerator)/\(denominator)")
      for field in query.values.map(\.value) {
        let (a, b) = (above[field]?.number, below[field]?.number)
        result[field] = a.flatMap { a in b.flatMap { $0 == 0 ? nil : .number(a / $0) } }
      }
      return result
    }
  }
}
