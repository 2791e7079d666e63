// gzip input, read as it comes, by zlib, which libpng brings along anyway.

import CZlib
import TensorStream

/// The bytes that a gzip file holds. Files that were put one after the other are read as one, as gzip does.
final class GzipInput {
  private let source: ByteFile
  private var offset: Int
  /// zlib keeps a pointer to this, so it stays where it is.
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutablePointer<UInt8>
  private var hasEnded = false
  /// Whether what comes next is the beginning of a file, and not its middle.
  private var isBetween = true
  private var hasFirst = false

  private static let inputSize = 1 << 16
  /// The largest window, and gzip's header alone.
  private static let windowBits: Int32 = 15 + 16

  /// Whether a file that starts so is compressed by gzip.
  static func isGzip(_ head: some Collection<UInt8>) -> Bool { head.starts(with: [0x1F, 0x8B]) }

  /// Reads from the file's first byte, whatever else reads it.
  init(_ source: ByteFile) throws {
    self.source = source
    offset = 0
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(capacity: Self.inputSize)
    guard inflateInit2_(stream, Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw Failure(.software, "\(source.name): zlib \(String(cString: zlibVersion())) cannot be used")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Reads up to `count` bytes, fewer only at the end. Throws `Failure(.data)` where the file is damaged or cut short.
  func read(into memory: UnsafeMutableRawPointer, count: Int) throws -> Int {
    var done = 0
    while done < count, try hasInput() {
      // zlib counts in 32 bits.
      let room = min(count - done, 1 << 30)
      stream.pointee.next_out = (memory + done).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let result = inflate(stream, Z_NO_FLUSH)
      done += room - Int(stream.pointee.avail_out)
      switch result {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END:
        inflateReset(stream)
        isBetween = true
      default:
        let what = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
        throw Failure(.data, "\(source.name): a damaged gzip file: \(what)")
      }
    }
    return done
  }

  /// Whether there is more to unpack.
  private func hasInput() throws -> Bool {
    if hasEnded { return false }
    if stream.pointee.avail_in == 0 { try fill() }
    if isBetween, hasFirst {
      // Tapes pad with zeros.
      while stream.pointee.avail_in > 0, stream.pointee.next_in.pointee == 0 {
        stream.pointee.next_in += 1
        stream.pointee.avail_in -= 1
        if stream.pointee.avail_in == 0 { try fill() }
      }
      if stream.pointee.avail_in == 0 {
        hasEnded = true
        return false
      }
    }
    guard stream.pointee.avail_in > 0 else {
      throw Failure(.data, "\(source.name): a damaged gzip file: it is cut short")
    }
    (isBetween, hasFirst) = (false, true)
    return true
  }

  private func fill() throws {
    let count = try source.read(into: input, count: Self.inputSize, at: offset)
    offset += count
    stream.pointee.next_in = input
    stream.pointee.avail_in = UInt32(count)
  }
}
