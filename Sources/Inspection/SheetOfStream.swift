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
  var end = 0
  let records = try StreamRecords(operand)
  let source = try SheetSource(header: records.header, name: operand.name)
  let wanted = range?.rows ?? 0..<(source.isViews ? 16 : 64)
  let known = try records.forEach(from: wanted.lowerBound) { record, number, all in
    let own = all.clamped(to: wanted)
    if !own.isEmpty {
      let start = all.lowerBound
      rows += try source.cells(
        of: record, rows: own.lowerBound - start..<own.upperBound - start, number: number, firstRow: start, side: side)
      // More than any sheet holds, so it is refused before the rows are gathered.
      let pixels = rows.count * (rows.first?.cells.count ?? 1) * side * side
      guard pixels <= ImageFile.maximumPixels else {
        throw Failure(.usage, "\(operand.name): more rows than a sheet holds: choose fewer with --rows")
      }
    }
    end = all.upperBound
    return all.upperBound < wanted.upperBound
  }
  if let known { try range?.require(within: known, of: "\(operand.name):") }
  guard !rows.isEmpty else { throw Failure(.data, "\(operand.name): holds no rows to show") }
  var sheet = ContactSheet(side: side)
  for row in rows { sheet.add(row.cells, title: row.title) }
  let isCut = range == nil && (known ?? end) > wanted.upperBound
  return (try sheet.drawn(columns: columns), isCut ? rows.count : nil)
}
