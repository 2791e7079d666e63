import ArgumentParser
import CommandLineKit
import Compute
import Imaging
import TensorStream

/// What pictures of streams and runs share: how large, how many, and whether a file may be replaced.
struct SheetOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Cells in a row of a sheet of images (default: 8).", valueName: "n"))
  var columns: Int?

  @Option(
    help: ArgumentHelp("The side of a picture on a sheet, in pixels (default: 128; of --look 192).", valueName: "n"))
  var size: Int?

  @Flag(help: "Replace the output if it exists.")
  var overwrite = false

  mutating func validate() throws {
    if let columns, !(1...1000).contains(columns) {
      throw ValidationError("--columns is \(columns): expected 1 to 1000")
    }
    if let size, !(16...4096).contains(size) { throw ValidationError("--size is \(size): expected 16 to 4096") }
  }

  /// Throws, before any work is done, what writing would throw at its end.
  func check(_ output: String) throws {
    var options = OutputOptions()
    (options.output, options.overwrite) = (output, overwrite)
    try options.checkEarly()
  }

  func write(_ picture: Picture, to output: String) throws {
    try writeWholeFile(try picture.jpeg(name: inputName(output)), path: output, overwrite: overwrite)
  }
}

/// --contact-sheet: a row a sample of views, a grid of images.
func drawContactSheet(_ operand: Operand, to output: String, range: RowRange?, options: SheetOptions) throws {
  try options.check(output)
  let side = options.size ?? 128
  var rows: [(title: String, cells: [ContactSheet.Cell])] = []
  var source: SheetSource?
  var isCut = false
  /// Takes from a record those rows that are asked for; false once nothing that follows is.
  func take(_ record: Record, number: Int, firstRow: Int, from source: SheetSource) throws -> Bool {
    let first = range?.first ?? 0
    let limit = source.isViews ? 16 : 64
    let end = range.map { $0.last.map { $0 + 1 } ?? .max } ?? limit
    let own = max(first, firstRow)..<max(first, firstRow, min(end, firstRow + record.rows))
    if !own.isEmpty {
      rows += try source.cells(
        of: record, rows: own.lowerBound - firstRow..<own.upperBound - firstRow, number: number, firstRow: firstRow,
        side: side)
      // More than any sheet holds: not to be gathered first.
      guard rows.count <= 1 << 20 / side else {
        throw Failure(.usage, "\(operand.name): more rows than a sheet holds: choose fewer with --rows")
      }
    }
    if range == nil && firstRow + record.rows > end { isCut = true }
    return firstRow + record.rows < end
  }
  var known: Int?
  if let stream = operand.indexed() {
    let sheet = try SheetSource(header: stream.header, name: operand.name)
    (source, known) = (sheet, stream.rows)
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
    source = sheet
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
  guard let source, !rows.isEmpty else { throw Failure(.data, "\(operand.name): holds no rows to show") }
  var sheet = ContactSheet(side: side)
  if source.isViews {
    for row in rows { sheet.add(row.cells, title: row.title) }
  } else {
    let columns = options.columns ?? 8
    for start in stride(from: 0, to: rows.count, by: columns) {
      sheet.add(rows[start..<min(start + columns, rows.count)].flatMap(\.cells))
    }
  }
  try options.write(try sheet.drawn(), to: output)
  if isCut { log("pmae-inspect", "\(operand.name): the first \(counted(rows.count, "row")) (--rows chooses others)") }
}
