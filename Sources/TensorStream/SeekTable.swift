/// The table at the end of a file that says where its frames lie: zstd's seekable format, a skippable frame of
/// (compressed size, content size) pairs and a footer.
package struct SeekTable: Equatable {
  package struct Frame: Equatable, Sendable {
    package var compressed: Int
    package var content: Int

    package init(compressed: Int, content: Int) {
      self.compressed = compressed
      self.content = content
    }
  }

  package var frames: [Frame]

  /// `5e 2a 4d 18`, then the table's size.
  package static let headerSize = 8
  /// The number of frames, a descriptor byte, `b1 ea 92 8f`.
  package static let footerSize = 9
  private static let magic: UInt32 = 0x184D_2A5E
  /// No frame of a record starts with it.
  package static let firstByte: UInt8 = 0x5E
  private static let footerMagic: UInt32 = 0x8F92_EAB1
  /// The format's own limit.
  private static let maximumFrames = 0x800_0000

  package init(frames: [Frame]) {
    self.frames = frames
  }

  /// The skippable frame; nil where a frame is too large for the table, whose sizes have 32 bits, or there are too many.
  /// A file without it is read by walking through its frames, which costs little where frames are large.
  package func encoded() -> [UInt8]? {
    guard frames.count <= Self.maximumFrames else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headerSize + 8 * frames.count + Self.footerSize)
    func append(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
    append(Self.magic)
    append(UInt32(8 * frames.count + Self.footerSize))
    for frame in frames {
      guard let compressed = UInt32(exactly: frame.compressed), let content = UInt32(exactly: frame.content) else {
        return nil
      }
      append(compressed)
      append(content)
    }
    append(UInt32(frames.count))
    bytes.append(0)
    append(Self.footerMagic)
    return bytes
  }

  /// How large the skippable frame is that ends with this footer; nil where it is not the footer of a seek table.
  package static func size(footer: UnsafeRawBufferPointer) -> Int? {
    guard footer.count == footerSize, word(footer, 5) == footerMagic else { return nil }
    let count = Int(word(footer, 0))
    return count <= maximumFrames ? headerSize + 8 * count + footerSize : nil
  }

  /// Reads the skippable frame that ends a file; nil where it is not a seek table after all.
  /// - Parameter end: where the frames end that it describes, and it starts. Its sizes must add up to that.
  package init?(_ bytes: UnsafeRawBufferPointer, end: Int) throws {
    guard bytes.count >= Self.headerSize + Self.footerSize, Self.word(bytes, 0) == Self.magic,
      Int(Self.word(bytes, 4)) == bytes.count - Self.headerSize
    else { return nil }
    let descriptor = bytes[bytes.count - 5]
    guard descriptor == 0 else {
      throw Damage.malformed("seek table: its descriptor is \(hexadecimalText([descriptor])), expected 00")
    }
    frames = stride(from: Self.headerSize, to: bytes.count - Self.footerSize, by: 8).map { at in
      Frame(compressed: Int(Self.word(bytes, at)), content: Int(Self.word(bytes, at + 4)))
    }
    let sum = frames.reduce(0) { $0 + $1.compressed }
    guard sum == end else {
      throw Damage.malformed(
        "seek table: its frames take \(grouped(sum)) bytes, but \(grouped(end)) bytes come before it")
    }
  }

  /// Compares what follows the last frame, up to the end of the input, with the table that belongs there.
  /// - Parameter found: what follows, or as much of it as is needed: one byte more than the table has.
  package func check(following found: UnsafeRawBufferPointer) throws {
    if found.isEmpty { return }
    let expected = encoded() ?? []
    if let at = zip(expected, found).enumerated().first(where: { $1.0 != $1.1 })?.offset {
      if at < 4 { throw Self.unexpected(found) }
      throw Damage.malformed(
        "seek table: byte \(at) is \(hexadecimalText([found[at]])), expected \(hexadecimalText([expected[at]]))")
    }
    if found.count < expected.count { throw Damage.malformed("the seek table after the end record is cut short") }
    if found.count > expected.count {
      throw Self.unexpected(UnsafeRawBufferPointer(rebasing: found[expected.count...]))
    }
  }

  private static func unexpected(_ found: UnsafeRawBufferPointer) -> Damage {
    .malformed(
      "more input after the end record: expected nothing but a seek table, found \(hexadecimalText(found.prefix(4)))")
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
}
