// Text chunks of a PNG file, of which two may hold an orientation. They are unpacked only where their name says so.

import CZlib

/// A chunk tEXt, zTXt or iTXt.
struct PNGText {
  private let name: UnsafeRawBufferPointer
  private let stored: UnsafeRawBufferPointer
  private let isCompressed: Bool

  /// No more than this is unpacked: no program writes an orientation into a longer text.
  private static let limit = 1 << 22

  /// - Parameter kind: the first letter of the chunk's name: t, z or i.
  init?(_ chunk: UnsafeRawBufferPointer, kind: UInt8) {
    guard let end = chunk.prefix(80).firstIndex(of: 0) else { return nil }
    name = UnsafeRawBufferPointer(rebasing: chunk[..<end])
    var rest = chunk[(end + 1)...]
    switch kind {
    case UInt8(ascii: "t"): isCompressed = false
    case UInt8(ascii: "z"):
      // A method: 0 is the only one.
      guard rest.first == 0 else { return nil }
      rest = rest.dropFirst()
      isCompressed = true
    default:
      // A flag, a method, a language, the name in that language.
      guard rest.count >= 2 else { return nil }
      isCompressed = rest.first == 1
      rest = rest.dropFirst(2)
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[(end + 1)...]
      }
    }
    stored = UnsafeRawBufferPointer(rebasing: rest)
  }

  var isProfile: Bool { ["exif", "APP1"].contains { name.elementsEqual("Raw profile type \($0)".utf8) } }
  var isXMP: Bool { name.elementsEqual("XML:com.adobe.xmp".utf8) }

  /// The text; nil where it cannot be unpacked.
  func content() -> [UInt8]? {
    guard isCompressed else { return Array(stored) }
    var stream = z_stream()
    guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    stream.next_in = UnsafeMutablePointer(mutating: stored.bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(clamping: stored.count)
    var text: [UInt8] = []
    while text.count < Self.limit {
      let size = 1 << 14
      var outcome = Z_OK
      let part = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
        stream.next_out = memory.baseAddress
        stream.avail_out = UInt32(size)
        outcome = inflate(&stream, Z_NO_FLUSH)
        count = size - Int(stream.avail_out)
      }
      text += part
      if outcome == Z_STREAM_END { return text }
      guard outcome == Z_OK else { return nil }
    }
    return nil
  }

  /// The bytes of a profile: after an empty line, its name and its length, hexadecimal digits in lines.
  func profile() -> [UInt8]? {
    guard let text = content() else { return nil }
    let lines = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in lines[3] {
      let digit: UInt8
      switch character {
      case 0x30...0x39: digit = character - 0x30
      case 0x41...0x46: digit = character - 0x41 + 10
      case 0x61...0x66: digit = character - 0x61 + 10
      case 0x0A, 0x0D, 0x20: continue
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return high == nil ? bytes : nil
  }
}
