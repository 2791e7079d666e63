// Where zstd's frames lie in a file, found by walking their block headers: nothing is decompressed, so this does not
// depend on what it is compared with. (RFC 8878, section 3.1; zstd's contrib/seekable_format for the table.)

import Foundation
import TensorStream

/// The frames of a file and the seek table that follows them.
struct FrameLayout {
  struct Frame {
    /// Where it starts, and its bytes in the file.
    let offset: Int
    let size: Int
    /// Of what it holds, where the frame says so.
    let contentSize: Int?
    let hasChecksum: Bool
  }

  private(set) var frames: [Frame] = []
  /// Bytes in the file and bytes held, per frame; nil where there is no table.
  private(set) var seekTable: [(size: Int, contentSize: Int)]?

  /// Errors: `Failure(.data)` where the bytes are no sequence of frames.
  init(of operand: Operand) throws {
    let bytes = try FileBytes(operand)
    try walk(bytes) { _ in }
  }

  /// The offsets of those frames that can be found, up to where the file goes wrong; the last may be of one that does.
  static func starts(in operand: Operand) -> [Int] {
    var starts: [Int] = []
    if let bytes = try? FileBytes(operand) {
      var layout = FrameLayout()
      try? layout.walk(bytes) { starts.append($0) }
    }
    return starts
  }

  private init() {}

  private mutating func walk(_ bytes: FileBytes, foundFrame: (Int) -> Void) throws {
    var offset = 0
    while offset < bytes.size {
      let magic = try bytes.number(at: offset, width: 4)
      if magic == 0xFD2F_B528 {
        foundFrame(offset)
        let frame = try Self.frame(at: offset, in: bytes)
        frames.append(frame)
        offset += frame.size
      } else if magic & 0xFFFF_FFF0 == 0x184D_2A50 {
        let size = try bytes.number(at: offset + 4, width: 4)
        if magic == 0x184D_2A5E { seekTable = try Self.table(at: offset + 8, size: size, in: bytes) }
        offset += 8 + size
      } else {
        throw Failure(.data, "\(bytes.name): neither a record nor a seek table starts at byte \(offset)")
      }
    }
  }

  private static func frame(at offset: Int, in bytes: FileBytes) throws -> Frame {
    let descriptor = try bytes.number(at: offset + 4, width: 1)
    let isSingleSegment = descriptor & 0x20 != 0
    let hasChecksum = descriptor & 0x04 != 0
    var at = offset + 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]
    let sizeWidth = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]
    var contentSize: Int?
    if sizeWidth > 0 {
      contentSize = try bytes.number(at: at, width: sizeWidth) + (sizeWidth == 2 ? 256 : 0)
    }
    at += sizeWidth
    var isLast = false
    while !isLast {
      let header = try bytes.number(at: at, width: 3)
      isLast = header & 1 == 1
      let type = header >> 1 & 3
      if type == 3 { throw Failure(.data, "\(bytes.name): at byte \(at) is a block of a reserved type") }
      // A run-length block holds one byte, however long the run.
      at += 3 + (type == 1 ? 1 : header >> 3)
    }
    if hasChecksum { at += 4 }
    guard at <= bytes.size else { throw Failure(.data, "\(bytes.name): ends within the record at byte \(offset)") }
    return Frame(offset: offset, size: at - offset, contentSize: contentSize, hasChecksum: hasChecksum)
  }

  private static func table(
    at offset: Int, size: Int, in bytes: FileBytes
  ) throws -> [(size: Int, contentSize: Int)] {
    let wrong = Failure(.data, "\(bytes.name): the seek table at byte \(offset - 8) is malformed")
    guard size >= 9, offset + size <= bytes.size, try bytes.number(at: offset + size - 4, width: 4) == 0x8F92_EAB1
    else { throw wrong }
    let count = try bytes.number(at: offset + size - 9, width: 4)
    let width = try bytes.number(at: offset + size - 5, width: 1) & 0x80 == 0 ? 8 : 12
    guard count * width + 9 == size else { throw wrong }
    return try (0..<count).map { i in
      let at = offset + i * width
      return (try bytes.number(at: at, width: 4), try bytes.number(at: at + 4, width: 4))
    }
  }
}

/// Little-endian numbers at places in a file.
private final class FileBytes {
  let name: String
  let size: Int
  private let descriptor: Int32

  init(_ operand: Operand) throws {
    name = operand.name
    size = operand.byteCount ?? 0
    descriptor = operand.path == "-" ? dup(STDIN_FILENO) : open(operand.path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw Failure(.noInput, "\(name): \(errorText(errno))") }
  }

  deinit { close(descriptor) }

  func number(at offset: Int, width: Int) throws -> Int {
    var buffer = [UInt8](repeating: 0, count: width)
    let n = pread(descriptor, &buffer, width, offset)
    if n < 0 { throw Failure(.io, "\(name): \(errorText(errno))") }
    guard n == width else { throw Failure(.data, "\(name): ends at byte \(offset + n), within a record") }
    let value = buffer.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // Far from where adding it to an offset would overflow.
    guard value < 1 << 60 else { throw Failure(.data, "\(name): absurd size at byte \(offset)") }
    return Int(value)
  }
}
