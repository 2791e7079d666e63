import Glibc

/// Where the frames of a file lie: from its seek table, or else from a walk through the frames' block headers, which
/// reads at most three bytes of every 128 KiB.
/// - Throws: `Damage.inputEnds` where the file ends inside a frame.
func frameIndex(
  _ descriptor: Descriptor, name: String, fileSize: Int
) throws -> (frames: [SeekTable.Frame], offsets: [Int]) {
  let file = FileBytes(descriptor: descriptor, name: name, size: fileSize)
  if let table = try seekTable(file) {
    var at = 0
    let offsets = table.frames.map { frame in
      defer { at += frame.compressed }
      return at
    }
    return (table.frames, offsets)
  }
  var frames: [SeekTable.Frame] = []
  var offsets: [Int] = []
  var at = 0
  while at < fileSize {
    let head = try file.read(at, atMost: ZstdFrameHeader.maximumSize)
    if head[0] == SeekTable.firstByte {
      // Its footer is damaged, or it would have been found.
      let table = SeekTable(frames: frames)
      try file.read(at, atMost: (table.encoded()?.count ?? 0) + 1).withUnsafeBytes(table.check(following:))
      break
    }
    let header: ZstdFrameHeader
    do {
      header = try head.withUnsafeBytes(ZstdFrameHeader.init)
    } catch Damage.malformed(let what) {
      throw Damage.malformed("record \(frames.count): \(what)")
    }
    let next = try endOfFrame(file, blocksAt: at + header.size)
    guard next <= fileSize else { throw Damage.inputEnds }
    frames.append(SeekTable.Frame(compressed: next - at, content: header.contentSize))
    offsets.append(at)
    at = next
  }
  return (frames, offsets)
}

/// The file's seek table; nil where it has none.
private func seekTable(_ file: FileBytes) throws -> SeekTable? {
  guard file.size >= SeekTable.headerSize + SeekTable.footerSize else { return nil }
  let footer = try file.read(file.size - SeekTable.footerSize, atMost: SeekTable.footerSize)
  guard let size = footer.withUnsafeBytes(SeekTable.size(footer:)), size <= file.size else { return nil }
  let start = file.size - size
  return try file.read(start, atMost: size).withUnsafeBytes { try SeekTable($0, end: start) }
}

/// Follows the block headers (RFC 8878, section 3.1.1.2) to the end of a frame with a checksum.
private func endOfFrame(_ file: FileBytes, blocksAt start: Int) throws -> Int {
  var at = start
  while true {
    let header = try file.read(at, atMost: 3)
    guard header.count == 3 else { throw Damage.inputEnds }
    let word = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
    let repeated = word >> 1 & 3 == 1
    at += 3 + (repeated ? 1 : word >> 3)
    if word & 1 == 1 { return at + 4 }
  }
}

/// Bytes from any place of a file.
private struct FileBytes {
  let descriptor: Descriptor
  let name: String
  let size: Int

  /// The bytes from `offset` on: `count` of them, or fewer where the file ends.
  func read(_ offset: Int, atMost count: Int) throws -> [UInt8] {
    let end = min(offset + count, size)
    guard offset < end else { return [] }
    return try [UInt8](unsafeUninitializedCapacity: end - offset) { buffer, initialized in
      let count = buffer.count
      let read = readAll(
        descriptor.number, into: UnsafeMutableRawPointer(buffer.baseAddress!), count: count, at: offset)
      guard read >= 0 else { throw Failure(.io, "\(name): cannot read: \(errorText(errno))") }
      initialized = read
    }
  }
}
