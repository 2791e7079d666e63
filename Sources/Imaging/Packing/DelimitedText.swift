// Rows of fields: RFC 4180, with any separator. Lines end with a line feed, a carriage return, or both.

import TensorStream

/// Reads a text row by row. Blanks around a field do not count, unless it is in quotes.
struct DelimitedText {
  private let bytes: [UInt8]
  private var mark: UInt8
  private var at = 0
  /// The line on which the last row began, from 1.
  private(set) var line = 0
  private var nextLine = 1

  private static let quote = UInt8(ascii: "\"")

  /// - Parameter separator: a first line `sep=;`, as spreadsheets have it, says another.
  init(_ bytes: [UInt8], separator: UInt8) {
    (self.bytes, mark) = (bytes, separator)
    if bytes.count > 5, bytes.starts(with: Array("sep=".utf8)), bytes[5] == 10 || bytes[5] == 13 {
      mark = bytes[4]
      at = 5
      _ = takeLineEnd()
    }
  }

  /// The fields of the next row that is not empty; nil at the end. Throws `Damage.malformed` for a quote that does not
  /// end, or that something follows.
  mutating func next() throws -> [[UInt8]]? {
    while at < bytes.count {
      line = nextLine
      let row = try fields()
      if row.contains(where: { !$0.isEmpty }) { return row }
    }
    return nil
  }

  private mutating func takeLineEnd() -> Bool {
    guard at < bytes.count, bytes[at] == 0x0A || bytes[at] == 0x0D else { return at >= bytes.count }
    if bytes[at] == 0x0D, at + 1 < bytes.count, bytes[at + 1] == 0x0A { at += 1 }
    at += 1
    nextLine += 1
    return true
  }

  private mutating func skipBlanks() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09, bytes[at] != mark { at += 1 }
  }

  private mutating func fields() throws -> [[UInt8]] {
    var row: [[UInt8]] = []
    while true {
      skipBlanks()
      if at < bytes.count, bytes[at] == Self.quote {
        row.append(try quoted())
      } else {
        let end = bytes[at...].firstIndex { $0 == mark || $0 == 0x0A || $0 == 0x0D } ?? bytes.count
        let field = bytes[at..<end]
        row.append(Array(field.reversed().drop { $0 == 0x20 || $0 == 0x09 }.reversed()))
        at = end
      }
      if takeLineEnd() { return row }
      at += 1
    }
  }

  private mutating func quoted() throws -> [UInt8] {
    var field: [UInt8] = []
    at += 1
    while true {
      guard at < bytes.count else { throw Damage.malformed("a quoted field that does not end") }
      let byte = bytes[at]
      at += 1
      if byte == Self.quote {
        guard at < bytes.count, bytes[at] == Self.quote else { break }
        at += 1
      } else if byte == 0x0A || (byte == 0x0D && !(at < bytes.count && bytes[at] == 0x0A)) {
        nextLine += 1
      }
      field.append(byte)
    }
    skipBlanks()
    guard at >= bytes.count || [mark, 0x0A, 0x0D].contains(bytes[at]) else {
      throw Damage.malformed("a quoted field with more after it")
    }
    return field
  }
}
