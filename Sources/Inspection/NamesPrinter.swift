// --names: the file that each row leads back to.

import CommandLineKit
import Schemas
import TensorStream

/// Prints a line a row: its number, its name, its class; of predictions also the class that is most probable. Tabs between, and `-`
/// for what is not known.
/// - Throws: `Failure(.data)` where the stream's rows have no names, or it ends before the last row that was asked for.
public func printNames(of operand: InspectedFile, range: RowRange?) throws {
  let records = try StreamRecords(operand)
  let printer = try NamesPrinter(records.header, source: operand.name)
  let wanted = range?.rows ?? 0..<Int.max
  let known = try records.forEach(from: wanted.lowerBound) { record, number, rows in
    if rows.overlaps(wanted) { try printer.print(record, number: number, rows: rows, wanted: wanted) }
    return rows.upperBound < wanted.upperBound
  }
  if let known { try range?.require(within: known, of: "\(operand.name):") }
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
