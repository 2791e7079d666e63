import ArgumentParser
import Evaluation

/// What a table shows.
struct TableChoiceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Keys from the end of a file's path: {cell}/seed{seed}/{measure}.json.", valueName: "pattern"))
  var path: String?

  @Option(
    help: ArgumentHelp(
      "Keys that name the rows, with commas between (default: file, and k where there is one).", valueName: "keys"))
  var rows: String?

  @Option(help: ArgumentHelp("The key that names the columns (default: a column a value).", valueName: "key"))
  var columns: String?

  @Option(
    name: .customLong("value"),
    help: ArgumentHelp(
      "A value to show, and its name in the table (default: top1). Repeatable.", valueName: "field=label"))
  var values: [String] = []

  @Option(
    name: .customLong("row"),
    help: ArgumentHelp(
      "A row to show, in this order, and its name (default: all). Repeatable.", valueName: "value=label"))
  var chosenRows: [String] = []

  @Option(
    name: .customLong("column"),
    help: ArgumentHelp("A column to show, and its name (default: all). Repeatable.", valueName: "value=label"))
  var chosenColumns: [String] = []

  @Option(
    name: .customLong("baseline"),
    help: ArgumentHelp(
      "A row that others have to beat; the table says where they do not (default: pixels). Repeatable.",
      valueName: "value"))
  var baselines: [String] = []

  @Option(
    name: .customLong("where"),
    help: ArgumentHelp(
      "Only results with this value; of one key several are alternatives. Repeatable.", valueName: "key=value"))
  var filters: [String] = []

  @Option(
    help: ArgumentHelp("Of each row only the results with the greatest number here, such as epoch.", valueName: "key"))
  var last: String?

  @Option(
    help: ArgumentHelp("What tells a cell's values apart, such as seed: the same twice is an error.", valueName: "key"))
  var over: String?

  @Option(help: ArgumentHelp("Divide the results of one value of a key by those of another.", valueName: "key=a/b"))
  var ratio: String?

  @Option(help: "Mean and deviation; median and range; or the one value that there is.")
  var spread = TableQuery.Spread.deviation

  @Option(help: ArgumentHelp("Multiply values by this; 100 makes shares %.", valueName: "n"))
  var scale = 1.0

  @Flag(help: "Leave out chosen rows that have no result.")
  var skipEmpty = false

  mutating func validate() throws {
    if !scale.isFinite { throw ValidationError("--scale is \(scale): expected a number") }
    if columns == nil && !chosenColumns.isEmpty { throw ValidationError("--column needs --columns, the key") }
    if skipEmpty && chosenRows.isEmpty {
      throw ValidationError("--skip-empty needs --row: rows that are found have results")
    }
    if let rows, rows.split(separator: ",", omittingEmptySubsequences: false).contains("") {
      throw ValidationError("--rows is \"\(rows)\": expected keys with commas between")
    }
    _ = try filters.map { try Self.pair($0, "--where", "KEY=VALUE") }
    _ = try parsedRatio()
  }

  /// - Parameter records: show whether there is a `k`, where the rows are not chosen.
  func query(of records: [ResultRecord]) throws -> TableQuery {
    let keys = rows?.split(separator: ",").map(String.init)
    var query = TableQuery(
      rows: keys ?? (records.contains { $0["k"] != nil } ? ["file", "k"] : ["file"]),
      values: values.isEmpty ? [TableQuery.Choice("top1")] : values.map(Self.choice))
    query.columns = columns
    query.chosenRows = chosenRows.isEmpty ? nil : chosenRows.map(Self.choice)
    query.chosenColumns = chosenColumns.isEmpty ? nil : chosenColumns.map(Self.choice)
    for text in filters {
      let (key, value) = try Self.pair(text, "--where", "KEY=VALUE")
      if let place = query.filter.firstIndex(where: { $0.key == key }) {
        query.filter[place].values.append(value)
      } else {
        query.filter.append((key, [value]))
      }
    }
    query.baselines = baselines.isEmpty ? nil : baselines
    query.last = last
    query.over = over
    query.ratio = try parsedRatio()
    query.spread = spread
    query.scale = scale
    query.skipsEmptyRows = skipEmpty
    return query
  }

  private func parsedRatio() throws -> TableQuery.Ratio? {
    guard let ratio else { return nil }
    let (key, sides) = try Self.pair(ratio, "--ratio", "KEY=A/B")
    let parts = sides.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !parts.contains("") else {
      throw ValidationError("--ratio is \"\(ratio)\": expected KEY=A/B")
    }
    return TableQuery.Ratio(key: key, numerator: parts[0], denominator: parts[1])
  }

  private static func choice(_ text: String) -> TableQuery.Choice {
    guard let sign = text.firstIndex(of: "=") else { return TableQuery.Choice(text) }
    return TableQuery.Choice(String(text[..<sign]), label: String(text[text.index(after: sign)...]))
  }

  private static func pair(_ text: String, _ option: String, _ form: String) throws -> (String, String) {
    guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
      throw ValidationError("\(option) is \"\(text)\": expected \(form)")
    }
    return (String(text[..<sign]), String(text[text.index(after: sign)...]))
  }
}
