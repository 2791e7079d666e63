// --names: the file that each row leads back to.

import CommandLineKit
import Schemas
import TensorStream

/// Prints a line a row: its number, its name, its class; of predictions also the class that is most probable. Tabs between, and `-`
/// for what is not known.
/// - Throws: `Failure(.data)` where the stream's rows have no names, or it ends before the last row that was asked for.
public func printNames(of operand: InspectedFile, range: RowRange?) throws {
  let end = range.flatMap { $0.last.map { min($0, .max - 1) + 1 } } ?? .max
  let wanted = (range?.first ?? 0)..<end
  let known: Int?
  if let stream = operand.indexed() {
    let printer = try NamesPrinter(stream.header, source: operand.name)
    known = stream.rows
    for i in 0..<stream.recordCount {
      let rows = stream.firstRow(ofRecord: i)..<stream.firstRow(ofRecord: i) + stream.rowsPerRecord[i]
      if rows.overlaps(wanted) { try printer.print(stream.record(i), number: i + 1, rows: rows, wanted: wanted) }
    }
  } else {
    known = try printNames(from: operand, wanted: wanted)
  }
  if let known, let range, range.first > 0 || range.last != nil, max(range.first, range.last ?? 0) >= known {
    throw Failure(
      .data,
      "\(operand.name): has \(counted(known, "row")), counted from 0: there is no row "
        + grouped(range.first >= known ? range.first : range.last ?? 0))
  }
}

/// Of a pipe, which is read no further than is needed.
/// - Returns: how many rows it has, where it was read to its end.
private func printNames(from operand: InspectedFile, wanted: Range<Int>) throws -> Int? {
  guard case .stream(let reader) = try AnyInput(path: operand.path) else {
    throw Failure(.data, "\(operand.name): a safetensors file, whose rows have no names")
  }
  let printer = try NamesPrinter(reader.header, source: operand.name)
  var number = 0
  while reader.rowsRead < wanted.upperBound {
    let first = reader.rowsRead
    guard let record = try reader.next() else { return reader.rowsRead }
    number += 1
    let rows = first..<first + record.rows
    if rows.overlaps(wanted) { try printer.print(record, number: number, rows: rows, wanted: wanted) }
  }
  return nil
}

/// The lines of a stream's records.
private struct NamesPrinter {
  private let source: String
  private let classes: [String]?
  /// Of a predictions stream.
  private let predictions: PredictionsHeader?

  init(_ header: Record, source: String) throws {
    self.source = source
    switch header.kindText.flatMap(StreamKind.init) {
    case .images, .views, .features: predictions = nil
    case .predictions: predictions = try PredictionsHeader(header, source: source)
    default:
      throw Failure(
        .data, "\(source): holds \(header.kindText ?? "no kind"): images, views, features and predictions have names")
    }
    classes = try ClassNames.of(header, source: source)
  }

  /// - Parameters:
  ///   - number: of the record, from 1, for messages.
  ///   - rows: of the record, counted through the stream.
  func print(_ record: Record, number: Int, rows: Range<Int>, wanted: Range<Int>) throws {
    let place = "\(source): record \(number)"
    guard let names = try RowNames(record, what: place) else {
      throw Failure(
        .data,
        "\(place): its rows have no names (\(RowNames.bytesTensor), \(RowNames.offsetsTensor)): pmae-pack gives pictures names, "
          + "and what is made of them keeps these; pack them again")
    }
    let labels = try Targets.labels(of: record, rows: rows.count, place: place)
    let predicted = try predictions.map { header in
      try PredictionTensors.classes(of: record, header, place: place)
    }
    for row in rows.clamped(to: wanted) {
      let own = row - rows.lowerBound
      var cells = [names.known(own), labels.flatMap { ClassNames.text($0[own], in: classes) }]
      if let predictions, let predicted {
        cells.append(ClassNames.text(predicted[own * predictions.top], in: classes))
      }
      try StandardOutput.write("\(row)\t" + cells.map { printable($0 ?? "-") }.joined(separator: "\t") + "\n")
    }
  }
}
