// The members of a tar file: POSIX ustar and pax, GNU's long names and large sizes, and the old kind. Only headers are read.

import Foundation
import TensorStream

/// One member: where its bytes lie.
struct TarMember {
  var name: [UInt8]
  /// `0` (or a zero byte) is a file.
  var type: UInt8
  var offset: Int
  var size: Int
  /// What a link leads to: of a hard link the name of another member.
  var target: [UInt8] = []

  var isFile: Bool { type == UInt8(ascii: "0") || type == 0 || type == UInt8(ascii: "7") }
  var isFolder: Bool { type == UInt8(ascii: "5") }
  var isHardLink: Bool { type == UInt8(ascii: "1") }
  var isLink: Bool { isHardLink || type == UInt8(ascii: "2") }
}

/// Walks through a file's members. Archives that were put one after the other are read through.
struct TarMembers {
  private let file: ByteFile
  private let size: Int
  private var at = 0
  private var hasEnd = false

  static let block = 512
  /// A long name or a list of pax fields with more bytes than this is refused.
  private static let maximumFields = 1 << 20

  init(_ file: ByteFile) {
    self.file = file
    size = file.stamp.size
  }

  /// Whether a file that starts so is a tar file: the header's own checksum says it.
  static func isTar(_ head: some RandomAccessCollection<UInt8>) -> Bool {
    head.count >= block && checksum(Array(head.prefix(block))) != nil
  }

  /// The next member; nil at the end. Throws `Failure(.data)` where the file is damaged or cut short.
  mutating func next() throws -> TarMember? {
    var longName: [UInt8]?
    var longTarget: [UInt8]?
    var longSize: Int?
    while true {
      guard at < size else {
        guard hasEnd, longName == nil, longTarget == nil, longSize == nil else {
          throw failure("ends without an end mark (two blocks of zeros): cut short")
        }
        return nil
      }
      let header = try file.bytes(at: at, count: Self.block)
      guard header.count == Self.block else { throw failure("ends inside a header: cut short") }
      let start = at
      at += Self.block
      if header.allSatisfy({ $0 == 0 }) {
        hasEnd = true
        continue
      }
      guard Self.checksum(header) != nil else {
        // Bytes after the end mark that are no header are old contents of the tape.
        if hasEnd {
          at = size
          continue
        }
        throw failure("byte \(grouped(start)): not a tar header: its checksum is wrong")
      }
      hasEnd = false
      guard let stated = Self.number(header[124..<136]) else {
        throw failure("byte \(grouped(start)): a size that is no number")
      }
      let type = header[156]
      let count =
        type == UInt8(ascii: "L") || type == UInt8(ascii: "K") || type == UInt8(ascii: "x") || type == UInt8(ascii: "g")
        ? stated : longSize ?? stated
      let name = longName ?? Self.name(header)
      let carries = !(type == UInt8(ascii: "1") || type == UInt8(ascii: "2") || type == UInt8(ascii: "5"))
      let length = carries ? count : 0
      guard length <= size - at else {
        throw failure(
          "ends inside \(printable(name)): \(grouped(size - at)) of \(grouped(length)) bytes: cut short")
      }
      let offset = at
      at += (length + Self.block - 1) / Self.block * Self.block
      switch type {
      case UInt8(ascii: "L"):
        longName = Array(try fields(offset, length, start).prefix { $0 != 0 })
      case UInt8(ascii: "K"):
        longTarget = Array(try fields(offset, length, start).prefix { $0 != 0 })
      case UInt8(ascii: "x"):
        let records = try pax(fields(offset, length, start), at: start)
        if records.keys.contains(where: { $0.hasPrefix("GNU.sparse") }) {
          throw failure("byte \(grouped(start)): a sparse file: make the tar file without --sparse")
        }
        if let path = records["path"] { longName = path }
        if let path = records["linkpath"] { longTarget = path }
        if let text = records["size"] {
          guard let value = Int(String(decoding: text, as: UTF8.self)), value >= 0 else {
            throw failure("byte \(grouped(start)): a size that is no number")
          }
          longSize = value
        }
      case UInt8(ascii: "g"): break
      case UInt8(ascii: "S"):
        throw failure("\(printable(name)): a sparse file: make the tar file without --sparse")
      default:
        let target = longTarget ?? Array(header[157..<257].prefix { $0 != 0 })
        return TarMember(name: name, type: type, offset: offset, size: length, target: target)
      }
    }
  }

  private func failure(_ text: String) -> Failure { Failure(.data, "\(file.name): \(text)") }

  private func fields(_ offset: Int, _ count: Int, _ start: Int) throws -> [UInt8] {
    guard count <= Self.maximumFields else {
      throw failure(
        "byte \(grouped(start)): \(grouped(count)) bytes of name: at most \(grouped(Self.maximumFields)) are accepted")
    }
    return try file.bytes(at: offset, count: count)
  }

  /// Records of `LENGTH KEY=VALUE\n`.
  private func pax(_ bytes: [UInt8], at start: Int) throws -> [String: [UInt8]] {
    var records: [String: [UInt8]] = [:]
    var rest = bytes[...]
    while let first = rest.first, first != 0 {
      guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
        let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
        length > space - rest.startIndex + 1, length <= rest.count
      else { throw failure("byte \(grouped(start)): damaged pax fields") }
      let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
      guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
        throw failure("byte \(grouped(start)): damaged pax fields")
      }
      records[String(decoding: record[..<equals], as: UTF8.self)] = Array(record[(equals + 1)...])
      rest = rest[(rest.startIndex + length)...]
    }
    return records
  }

  /// The name, after ustar's prefix where there is one.
  private static func name(_ header: [UInt8]) -> [UInt8] {
    let name = Array(header[0..<100].prefix { $0 != 0 })
    let prefix = Array(header[345..<500].prefix { $0 != 0 })
    let isPOSIX = Array(header[257..<263]) == Array("ustar\0".utf8)
    return isPOSIX && !prefix.isEmpty ? prefix + [UInt8(ascii: "/")] + name : name
  }

  /// A number in octal digits, or in GNU's base 256 where it is too large for these.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if field.first! & 0x80 != 0 {
      var value = field.first! & 0x40 != 0 ? -1 : Int(field.first! & 0x3F)
      for byte in field.dropFirst() {
        guard value >= 0, value < 1 << 54 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }

  /// The sum of a header's bytes, with spaces in place of its own field; nil where the field says another sum.
  private static func checksum(_ header: [UInt8]) -> Int? {
    guard let stated = number(header[148..<156]), stated > 0 else { return nil }
    var sum = 0
    for (i, byte) in header.enumerated() { sum += (148..<156).contains(i) ? 0x20 : Int(byte) }
    return sum == stated ? sum : nil
  }
}
