// --contact-sheet: reads the rows of the range, and no further.

import Imaging
import TensorStream

/// Samples of views, or images, as a page.
/// - Parameters:
///   - side: of a picture, in pixels.
///   - columns: cells in a row; nil for a page of about 4:3.
/// - Returns: the picture, and how many rows it shows where the stream has more and no range was given.
public func contactSheet(
  of operand: InspectedFile, range: RowRange?, side: Int, columns: Int?
) throws -> (picture: Picture, cutAfter: Int?) {
  var rows: [(title: String, cells: [ContactSheet.Cell])] = []
  var isCut = false
  /// Takes the rows of the range from a record; false once nothing that follows is in the range.
  func take(_ record: Record, number: Int, firstRow: Int, from source: SheetSource) throws -> Bool {
    let first = range?.first ?? 0
    let limit = source.isViews ? 16 : 64
    let end = range.map { $0.last.map { min($0, .max - 1) + 1 } ?? .max } ?? limit
    let own = max(first, firstRow)..<max(first, firstRow, min(end, firstRow + record.rows))
    if !own.isEmpty {
      rows += try source.cells(
        of: record, rows: own.lowerBound - firstRow..<own.upperBound - firstRow, number: number, firstRow: firstRow,
        side: side)
      // More than any sheet holds, so it is refused before the rows are gathered.
      let pixels = rows.count * (rows.first?.cells.count ?? 1) * side * side
      guard pixels <= ImageFile.maximumPixels else {
        throw Failure(.usage, "\(operand.name): more rows than a sheet holds: choose fewer with --rows")
      }
    }
    if range == nil && firstRow + record.rows > end { isCut = true }
    return firstRow + record.rows < end
  }
  var known: Int?
  if let stream = operand.indexed() {
    let sheet = try SheetSource(header: stream.header, name: operand.name)
    known = stream.rows
    for i in 0..<stream.recordCount {
      let firstRow = stream.firstRow(ofRecord: i)
      if firstRow + stream.rowsPerRecord[i] <= range?.first ?? 0 { continue }
      if try !take(stream.record(i), number: i + 1, firstRow: firstRow, from: sheet) {
        isCut = isCut || range == nil && i + 1 < stream.recordCount
        break
      }
    }
  } else {
    let reader = try StreamReader(path: operand.path)
    let sheet = try SheetSource(header: reader.header, name: operand.name)
    var number = 0
    while true {
      let firstRow = reader.rowsRead
      guard let record = try reader.next() else {
        known = reader.rowsRead
        break
      }
      number += 1
      if try !take(record, number: number, firstRow: firstRow, from: sheet) { break }
    }
  }
  if let known, let range, max(range.first, range.last ?? 0) >= known {
    throw Failure(
      .data,
      "\(operand.name): has \(counted(known, "row")), counted from 0: there is no row "
        + grouped(range.first >= known ? range.first : range.last ?? 0))
  }
  guard !rows.isEmpty else { throw Failure(.data, "\(operand.name): holds no rows to show") }
  var sheet = ContactSheet(side: side)
  for row in rows { sheet.add(row.cells, title: row.title) }
  return (try sheet.drawn(columns: columns), isCut ? rows.count : nil)
}
