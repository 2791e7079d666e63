import Glibc

/// Bytes that come in order, from a pipe or from a stretch of a file, through a buffer of fixed size.
final class ByteSource {
  /// What messages call it.
  let name: String
  private let descriptor: Descriptor
  /// The part of a file that is read with `pread`; nil reads on from where the descriptor stands.
  private var region: Range<Int>?
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// How many bytes were consumed.
  private(set) var consumed = 0
  /// How many there are; nil where that is not known, as of a pipe.
  let size: Int?

  /// - Parameter region: the bytes of a file to read, by `pread`, so that several sources can share a descriptor.
  init(_ descriptor: Descriptor, name: String, region: Range<Int>? = nil) throws {
    self.name = name
    self.descriptor = descriptor
    self.region = region
    buffer = .allocate(byteCount: min(256 << 10, max(region?.count ?? .max, 64)), alignment: 64)
    if let region {
      size = region.count
    } else {
      let status = try descriptor.status(name: name)
      if status.isFolder { throw Failure(.noInput, "\(name): \(errorText(EISDIR))") }
      size = status.isRegularFile ? Int(status.st_size) : nil
    }
  }

  deinit { buffer.deallocate() }

  /// What is in the buffer. Valid until the next call.
  var available: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

  func consume(_ count: Int) {
    start += count
    consumed += count
  }

  /// Reads some more; false where the input ends.
  func fill() throws -> Bool {
    if start > 0 {
      buffer.copyMemory(from: available)
      end -= start
      start = 0
    }
    let count = try read(UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    end += count
    return count > 0
  }

  /// The next `count` bytes (64 at most), or as many as there are before the input ends. Consumes nothing.
  func peek(_ count: Int) throws -> UnsafeRawBufferPointer {
    while end - start < count, try fill() {}
    return UnsafeRawBufferPointer(rebasing: available.prefix(count))
  }

  /// Fills `target`, as far as there is input. Returns how many bytes were read.
  func take(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    let buffered = min(target.count, end - start)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: available.prefix(buffered)))
    consume(buffered)
    var done = buffered
    while done < target.count {
      let count = try read(UnsafeMutableRawBufferPointer(rebasing: target[done...]))
      if count == 0 { break }
      done += count
      consumed += count
    }
    return done
  }

  private func read(_ target: UnsafeMutableRawBufferPointer) throws -> Int {
    let number = descriptor.number
    // Some kernels refuse to read 2 GiB or more at once.
    var wanted = min(target.count, 1 << 30)
    let count: Int
    if let region {
      wanted = min(wanted, region.count)
      if wanted == 0 { return 0 }
      count = retrying(number, waitingFor: POLLIN) { pread(number, target.baseAddress, wanted, region.lowerBound) }
      if count > 0 { self.region = (region.lowerBound + count)..<region.upperBound }
    } else {
      count = retrying(number, waitingFor: POLLIN) { Glibc.read(number, target.baseAddress, wanted) }
    }
    guard count >= 0 else { throw Failure(.io, "\(name): cannot read: \(errorText(errno))") }
    return count
  }
}
