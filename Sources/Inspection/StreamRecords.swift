// The records of a stream by their rows: of a file those that are wanted alone, of a pipe one after the other.

import TensorStream

/// A stream that is read from its beginning, in a file or from a pipe.
enum StreamRecords {
  case file(IndexedStream)
  case pipe(StreamReader)

  /// - Throws: `Failure(.data)` where the operand is no stream.
  init(_ operand: InspectedFile) throws {
    if let stream = operand.indexed() {
      self = .file(stream)
    } else if case .stream(let reader) = try AnyInput(path: operand.path) {
      self = .pipe(reader)
    } else {
      throw Failure(.data, "\(operand.name): a safetensors file, whose rows have no names and no pictures")
    }
  }

  var header: Record {
    switch self {
    case .file(let stream): stream.header
    case .pipe(let reader): reader.header
    }
  }

  /// Hands out the records in which there are rows from `first` on; where there are none, the last one.
  /// - Parameter take: gets a record, its number from 1 on, and its rows' numbers in the stream. It returns whether it wants more.
  /// - Returns: how many rows the stream has; nil for a pipe that was not read to its end.
  func forEach(from first: Int, _ take: (Record, _ number: Int, _ rows: Range<Int>) throws -> Bool) throws -> Int? {
    switch self {
    case .file(let stream):
      for i in 0..<stream.recordCount {
        let start = stream.firstRow(ofRecord: i)
        let rows = start..<start + stream.rowsPerRecord[i]
        if rows.upperBound <= first, i + 1 < stream.recordCount { continue }
        guard try take(stream.record(i), i + 1, rows) else { break }
      }
      return stream.rows
    case .pipe(let reader):
      var number = 0
      while true {
        let start = reader.rowsRead
        guard let record = try reader.next() else { return reader.rowsRead }
        number += 1
        guard try take(record, number, start..<start + record.rows) else { return nil }
      }
    }
  }
}
