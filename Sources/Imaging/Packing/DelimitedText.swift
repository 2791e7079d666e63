// Rows of fields: CSV and TSV (RFC 4180), and words between spaces.

import TensorStream

/// Reads a text row by row.
struct DelimitedText {
  enum Separator {
    case comma
    case tab
    /// Any number of spaces and tabs. Lines that begin with `#` are comments.
    case spaces

    /// By the file's suffix, or by what its first line has.
    init(path: String, firstLine: some Collection<UInt8>) {
      let name = path.lowercased()
      if name.hasSuffix(".csv") {
        self = .comma
      } else if name.hasSuffix(".tsv") || firstLine.contains(0x09) {
        self = .tab
      } else {
        self = firstLine.contains(UInt8(ascii: ",")) ? .comma : .spaces
      }
    }
  }

  private let bytes: UnsafeRawBufferPointer
  private let separator: Separator
  private var at = 0
  /// The line on which the last row began, from 1.
  private(set) var line = 0
  private var nextLine = 1

  init(_ bytes: UnsafeRawBufferPointer, separator: Separator) {
    self.bytes = bytes
    self.separator = separator
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
  }

  /// The fields of the next row that is not empty; nil at the end.
  /// Throws `Damage.malformed` for a quote that does not end, or with something after it.
  mutating func next() throws -> [[UInt8]]? {
    while at < bytes.count {
      line = nextLine
      let row = separator == .spaces ? words() : try fields()
      if row.count > 1 || row.first?.isEmpty == false { return row }
    }
    return nil
  }

  private mutating func words() -> [[UInt8]] {
    let end = bytes[at...].firstIndex(of: 0x0A) ?? bytes.count
    let text = bytes[at..<end]
    at = end + 1
    nextLine += 1
    let row = text.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map { Array($0) }
    return row.first?.first == UInt8(ascii: "#") ? [] : row
  }

  private mutating func fields() throws -> [[UInt8]] {
    let mark: UInt8 = separator == .comma ? UInt8(ascii: ",") : 0x09
    let quote = UInt8(ascii: "\"")
    var row: [[UInt8]] = []
    while true {
      var field: [UInt8] = []
      if at < bytes.count, bytes[at] == quote {
        at += 1
        while true {
          guard at < bytes.count else { throw Damage.malformed("a quoted field that does not end") }
          let byte = bytes[at]
          at += 1
          if byte == quote {
            guard at < bytes.count, bytes[at] == quote else { break }
            at += 1
          } else if byte == 0x0A {
            nextLine += 1
          }
          field.append(byte)
        }
        if at < bytes.count, bytes[at] == 0x0D { at += 1 }
        guard at >= bytes.count || bytes[at] == mark || bytes[at] == 0x0A else {
          throw Damage.malformed("a quoted field with more after it")
        }
      } else {
        let end = bytes[at...].firstIndex { $0 == mark || $0 == 0x0A } ?? bytes.count
        field = Array(bytes[at..<end])
        at = end
        if at >= bytes.count || bytes[at] == 0x0A, field.last == 0x0D { field.removeLast() }
      }
      row.append(field)
      let byte = at < bytes.count ? bytes[at] : 0x0A
      at += 1
      if byte == 0x0A {
        nextLine += 1
        return row
      }
    }
  }
}
