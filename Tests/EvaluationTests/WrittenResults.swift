import Evaluation
import TensorStream

/// Results of fields written `key=value`, with spaces between.
func results(_ lines: String...) -> [ResultRecord] {
  lines.enumerated().map { number, line in
    let fields = line.split(separator: " ").map { $0.split(separator: "=").map(String.init) }
    return ResultRecord(
      place: "line \(number + 1)",
      fields: Dictionary(uniqueKeysWithValues: fields.map { ($0[0], .text($0[1])) }))
  }
}

func query(_ rows: String..., change: (inout TableQuery) -> Void = { _ in }) -> TableQuery {
  var query = TableQuery(rows: rows, values: [.init("v")])
  change(&query)
  return query
}
