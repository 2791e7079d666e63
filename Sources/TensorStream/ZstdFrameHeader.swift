/// What the first bytes of a zstd frame say (RFC 8878, section 3.1.1.1). A record's frame must have a content size, a
/// checksum, no dictionary, and a window that fits in memory.
package struct ZstdFrameHeader {
  package static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  /// No frame header is longer.
  package static let maximumSize = 18
  /// The largest window that is read: 128 MiB, the largest that `zstd` reads without an option.
  package static let maximumWindow: UInt64 = 1 << 27

  /// Bytes that the header takes.
  package var size: Int
  /// Bytes that the frame's content takes.
  package var contentSize: Int

  /// Whether a frame starts with `bytes`, of which there may be fewer than four where the input ends.
  package static func startsLike(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.prefix(4).elementsEqual(magic.prefix(bytes.count))
  }

  /// - Parameter bytes: the first bytes of a frame: `maximumSize`, or fewer where the input ends.
  package init(_ bytes: UnsafeRawBufferPointer) throws {
    guard Self.startsLike(bytes) else {
      throw Damage.malformed("expected a zstd frame (28 b5 2f fd), found \(hexadecimalText(bytes.prefix(4)))")
    }
    guard bytes.count > 4 else { throw Damage.inputEnds }
    let descriptor = bytes[4]
    let singleSegment = descriptor & 0x20 != 0
    guard descriptor & 0x18 == 0 else { throw Damage.malformed("a zstd frame with reserved bits set in its header") }
    guard descriptor & 0x04 != 0 else { throw Damage.malformed("a zstd frame without a checksum") }
    guard descriptor & 0x03 == 0 else { throw Damage.malformed("a zstd frame that needs a dictionary") }
    guard descriptor >> 6 != 0 || singleSegment else { throw Damage.malformed("a zstd frame without a content size") }
    let sizeBytes = 1 << Int(descriptor >> 6)
    let windowBytes = singleSegment ? 0 : 1
    size = 5 + windowBytes + sizeBytes
    guard bytes.count >= size else { throw Damage.inputEnds }

    var content: UInt64 = 0
    for i in (0..<sizeBytes).reversed() { content = content << 8 | UInt64(bytes[5 + windowBytes + i]) }
    if sizeBytes == 2 { content += 256 }
    guard let contentSize = Int(exactly: content) else {
      throw Damage.malformed("a zstd frame that claims \(grouped(content)) bytes")
    }
    self.contentSize = contentSize

    var window = content
    if !singleSegment {
      let base: UInt64 = 1 << (10 + UInt64(bytes[5] >> 3))
      window = base + base / 8 * UInt64(bytes[5] & 7)
    }
    guard window <= Self.maximumWindow else {
      throw Damage.malformed("a zstd window of \(grouped(window)) bytes; \(grouped(Self.maximumWindow)) are the most")
    }
  }
}
