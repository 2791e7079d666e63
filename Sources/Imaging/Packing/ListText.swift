// A list's text as bytes of UTF-8, and which form of list it is.

import Foundation
import TensorStream

enum ListText {
  private static let maximumSize = 1 << 34

  /// The whole text, without a byte order mark; UTF-16, which spreadsheets write, becomes UTF-8.
  static func read(_ file: ByteFile) throws -> [UInt8] {
    let head = try file.bytes(at: 0, count: 4)
    var bytes: [UInt8]
    if GzipInput.isGzip(head) {
      let input = try GzipInput(file)
      bytes = []
      let step = 1 << 20
      while true {
        let part = try [UInt8](unsafeUninitializedCapacity: step) {
          $1 = try input.read(into: $0.baseAddress!, count: step)
        }
        bytes += part
        guard bytes.count <= maximumSize else {
          throw Failure(.data, "\(file.name): more than \(grouped(maximumSize)) bytes: too large for a list")
        }
        if part.count < step { break }
      }
    } else {
      guard file.stamp.size <= maximumSize else {
        throw Failure(.data, "\(file.name): \(grouped(file.stamp.size)) bytes: too large for a list")
      }
      bytes = try file.bytes(at: 0, count: file.stamp.size)
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if isUTF16(bytes) {
      let isBig = bytes[0] == 0xFE
      let units = stride(from: 2, to: bytes.count - 1, by: 2).map { (i: Int) -> UInt16 in
        let (first, second) = (UInt16(bytes[i]), UInt16(bytes[i + 1]))
        return isBig ? first << 8 | second : second << 8 | first
      }
      bytes = Array(String(decoding: units, as: UTF16.self).utf8)
    }
    return bytes
  }

  private static func isUTF16(_ head: some Collection<UInt8>) -> Bool {
    head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
  }

  /// Whether a file that starts so may be text: no control characters, which no list has.
  static func isText(_ head: [UInt8]) -> Bool {
    if isUTF16(head) { return true }
    return !head.isEmpty && !head.contains { $0 < 0x09 || (0x0E..<0x20).contains($0) } && head[0] < 0xF5
  }

  /// What separates the fields of a list. Its first rows tell it, and the file's suffix where a row leaves it open.
  /// nil: blanks, or nothing.
  static func separator(_ text: [UInt8], path: String, isFile: ([UInt8]) -> Bool) -> UInt8? {
    let name = path.lowercased()
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    let (isCSV, isTSV) = (plain.hasSuffix(".csv"), plain.hasSuffix(".tsv"))
    let lines = text.prefix(1 << 16).split(maxSplits: 20, omittingEmptySubsequences: true) { $0 == 10 || $0 == 13 }
      .prefix(20).filter { $0.first != UInt8(ascii: "#") || isCSV || isTSV }
    guard let first = lines.first else { return nil }
    let all = [UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "|")]
    let preferred = isCSV ? [all[1], all[2], all[0], all[3]] : all
    let found = preferred.filter { count($0, in: first) > 0 }
    // A name may have commas in it.
    if found.isEmpty || isFile(trimmed(first)) { return isCSV ? all[1] : isTSV ? all[0] : nil }
    // Where the first line has several separators, it is the one that each line has equally often.
    let even = found.filter { mark in
      let counts = lines.dropLast(lines.count > 1 ? 1 : 0).map { count(mark, in: $0) }
      return counts.allSatisfy { $0 == counts[0] }
    }
    return even.first ?? found[0]
  }

  /// How many there are outside of quotes.
  private static func count(_ mark: UInt8, in line: some Sequence<UInt8>) -> Int {
    var (count, isQuoted) = (0, false)
    for byte in line {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == mark, !isQuoted { count += 1 }
    }
    return count
  }
}
