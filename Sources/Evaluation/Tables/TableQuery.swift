import TensorStream

/// What a table shows of results: which keys name its rows and columns, which values its cells are made of, and of which results.
///
///     var query = TableQuery(rows: ["cell"], values: [.init("top1")])
///     query.columns = "measure"
///     query.over = "seed"
///     print(try ResultTable(ResultFile.read(path: "results.json"), query).text(TableStyle()))
public struct TableQuery: Sendable {
  /// A value of a key, or a field, with the name that the table has for it.
  public struct Choice: Equatable, Sendable {
    public let value: String
    public let label: String?

    public init(_ value: String, label: String? = nil) {
      (self.value, self.label) = (value, label)
    }
  }

  /// The statistics of a cell.
  public enum Spread: String, CaseIterable, Sendable {
    /// Mean and sample deviation.
    case deviation
    /// Median, least and most.
    case range
    /// The one value that there is; two are an error.
    case none
  }

  /// Results with `key=numerator` divided by those with `key=denominator` that have the same row, column and `over`.
  public struct Ratio: Sendable {
    let key: String
    let numerator: String
    let denominator: String

    public init(key: String, numerator: String, denominator: String) {
      (self.key, self.numerator, self.denominator) = (key, numerator, denominator)
    }
  }

  /// The first names a row; a result without one of the others is a row of its own.
  public var rows: [String]
  /// Nil: a column a value.
  public var columns: String?
  public var values: [Choice]
  /// Rows by the first key, in this order; nil: all that there are.
  public var chosenRows: [Choice]?
  public var chosenColumns: [Choice]?
  /// Results with any of these values of these keys; empty: all.
  public var filter: [(key: String, values: [String])] = []
  /// Of each row, the results with the greatest number here alone.
  public var last: String?
  /// The key that tells the values of a cell apart, such as a seed: the same twice is an error.
  public var over: String?
  public var ratio: Ratio?
  public var spread = Spread.deviation
  /// What every value is multiplied by.
  public var scale = 1.0
  /// Leaves out chosen rows of which there is no result.
  public var skipsEmptyRows = false

  /// Rows by the first key that others have to beat: `ResultTable.remarks` says where they do not. Nil: `pixels`, where there is such a
  /// row.
  public var baselines: [String]?

  public init(rows: [String], values: [Choice]) {
    precondition(!rows.isEmpty && !values.isEmpty)
    (self.rows, self.values) = (rows, values)
  }

  /// The results that the table is about.
  /// - Throws: `Failure(.data)` where there is none left, or one has nothing that the table needs; it names what there is.
  func select(_ all: [ResultRecord]) throws -> [ResultRecord] {
    var records = all
    for (key, wanted) in filter {
      let found = records.compactMap { $0[key]?.text }
      records = records.filter { record in wanted.contains { record[key]?.isMeant(by: $0) ?? false } }
      if records.isEmpty {
        let there = found.isEmpty ? try fields(all) : "\"\(key)\" is " + Self.list(found)
        throw Failure(.data, "no result has \(key)=\(wanted.joined(separator: " or \(key)=")): \(there)")
      }
    }
    for key in rows + [columns, last, over, ratio?.key].compactMap({ $0 })
    where !records.contains(where: { $0[key] != nil }) {
      throw Failure(.data, "no result has \"\(key)\": \(try fields(records))")
    }
    for choice in values where !records.contains(where: { $0.knows(choice.value) }) {
      throw Failure(.data, "no result has \"\(choice.value)\": \(try fields(records))")
    }
    for record in records {
      for key in [rows[0], columns, over, ratio?.key].compactMap({ $0 }) where record[key] == nil {
        throw Failure(.data, "\(record.place): has no \"\(key)\"")
      }
      let held = values.filter { record[$0.value] != nil }
      if !values.contains(where: { record.knows($0.value) }) {
        throw Failure(.data, "\(record.place): has no " + values.map { "\"\($0.value)\"" }.joined(separator: ", no "))
      }
      for choice in held where record[choice.value]?.number == nil {
        throw Failure(
          .data,
          "\(record.place): \"\(choice.value)\" is \(quoted(record[choice.value]?.text ?? "")): expected a number")
      }
    }
    return try latest(records)
  }

  private func latest(_ records: [ResultRecord]) throws -> [ResultRecord] {
    guard let last else { return records }
    var greatest: [[String]: Double] = [:]
    func row(_ record: ResultRecord) -> [String] { rows.filter { $0 != last }.map { record[$0]?.text ?? "" } }
    for record in records {
      guard let number = record[last]?.number else {
        throw Failure(.data, "\(record.place): \"\(last)\" is \(quoted(record[last]?.text ?? "")): expected a number")
      }
      greatest[row(record)] = max(greatest[row(record)] ?? number, number)
    }
    return records.filter { $0[last]?.number == greatest[row($0)] }
  }

  private func fields(_ records: [ResultRecord]) throws -> String {
    "there is " + Self.list(records.flatMap { Array($0.fields.keys) + $0.missing }.sorted())
  }

  /// Different ones, in order, with an end.
  private static func list(_ words: [String]) -> String {
    var seen: Set<String> = []
    let different = words.filter { seen.insert($0).inserted }
    let shown = different.prefix(20).map { quoted($0) }.joined(separator: ", ")
    return different.count > 20 ? shown + ", … (\(different.count))" : shown
  }
}
