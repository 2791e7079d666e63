// --tensor: values as text that awk, sort and cut can use.

import CommandLineKit
import Schemas
import TensorStream

/// Prints the rows of one tensor, each on a line with tabs between its values.
public struct TensorPrinter {
  private let operand: InspectedFile
  private let tensor: String
  /// nil: as many of the first rows as hold `limit` values.
  private let range: RowRange?
  private var printer: RowPrinter

  /// How many values are printed without a range.
  private static let limit = 1000

  public init(operand: InspectedFile, tensor: String, range: RowRange?) {
    self.operand = operand
    self.tensor = tensor
    self.range = range
    printer = RowPrinter(first: range?.first ?? 0, last: range?.last, limit: range == nil ? Self.limit : nil)
  }

  /// Errors: `Failure(.data)` where there is no such tensor, or where it ends before the last row of the range.
  public mutating func run() throws {
    if let stream = operand.indexed(), stream.recordCount > 0 { return try print(.file(stream)) }
    switch try AnyInput(path: operand.path) {
    case .safetensors(let record):
      try printAll(of: record)
    case .stream(let reader) where reader.header.isLast:
      try printAll(of: reader.header)
    case .stream(let reader):
      try print(.pipe(reader))
    }
  }

  /// A tensor that lies in one record as a whole.
  private mutating func printAll(of record: Record) throws {
    guard let values = record[tensor] else { throw missing(record) }
    let rows = values.shape.first ?? 1
    try printer.print(values, rows: rows)
    try finish(rows: rows)
  }

  /// Of a pipe, only reading on would tell how many rows more follow, and its writer may take long.
  private mutating func print(_ records: StreamRecords) throws {
    let rows = try records.forEach(from: printer.first) { record, _, rows in
      printer.pass(to: rows.lowerBound)
      try print(record)
      return !printer.isDone
    }
    try finish(rows: rows)
  }

  private mutating func print(_ record: Record) throws {
    guard let values = record[tensor] else { throw missing(record) }
    for (bytes, offsets) in [(ImageTensors.bytes, ImageTensors.offsets), (MaskTensors.bytes, MaskTensors.offsets)]
    where tensor == bytes {
      if let offsets = try record[offsets]?.values(of: Int64.self) {
        return try printer.print(values, between: offsets)
      }
    }
    // Not the tensor's own leading dimension: there is one more offset than there are rows.
    try printer.print(values, rows: record.rows)
  }

  /// Says what was not printed, to standard error. `rows`: how many there are, where that is known.
  private func finish(rows: Int?) throws {
    if let rows { try range?.require(within: rows, of: "\(operand.name): \(tensor)") }
    let isPartial = printer.wasCut || (range == nil && (rows.map { printer.row < $0 } ?? true))
    if isPartial {
      try StandardOutput.flush()
      let all = rows.map { " of \(grouped($0))" } ?? ""
      let shown = "the first \(counted(printer.printed, "value")), \(counted(printer.row, "row"))\(all)"
      log("pmae-inspect", "\(operand.name): \(tensor): \(shown) (--rows all for all)")
    }
  }

  private func missing(_ record: Record) -> Failure {
    let names = record.tensors.map(\.name)
    let shown = names.isEmpty ? "none" : shortened(printable(names.joined(separator: ", ")), to: 400)
    return Failure(.data, "\(operand.name): no tensor \(quoted(tensor)); there are: \(shown)")
  }
}
