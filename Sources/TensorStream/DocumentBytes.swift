import Glibc

/// Memory that grows as input arrives, and then stays as it is while tensors point into it. It starts at a multiple of 64.
package final class DocumentBytes: @unchecked Sendable {
  private var allocation: UnsafeMutableRawPointer
  /// The first byte.
  package private(set) var start: UnsafeMutableRawPointer
  package private(set) var capacity: Int

  package init(capacity: Int) throws {
    guard capacity <= .max - 64, let allocation = malloc(capacity + 63) else { throw Self.noMemory(capacity) }
    self.allocation = allocation
    self.start = allocation.alignedUp(toMultipleOf: 64)
    self.capacity = capacity
  }

  deinit { free(allocation) }

  /// Makes room for `capacity` bytes, and keeps those that are there. Large blocks are moved by the kernel, not copied.
  package func grow(to capacity: Int) throws {
    let before = start - allocation
    guard capacity <= .max - 64, let allocation = realloc(allocation, capacity + 63) else {
      throw Self.noMemory(capacity)
    }
    self.allocation = allocation
    start = allocation.alignedUp(toMultipleOf: 64)
    if start - allocation != before { start.copyMemory(from: allocation + before, byteCount: self.capacity) }
    self.capacity = capacity
  }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: capacity) }

  private static func noMemory(_ count: Int) -> Failure {
    Failure(.io, "no memory for \(grouped(count)) bytes")
  }
}

extension Record {
  /// The record that a whole document holds. Its tensors point into `document`.
  package init(document: DocumentBytes) throws {
    let bytes = document.bytes
    let length = try Self.headerLength(bytes)
    guard length <= bytes.count - 8 else {
      throw Damage.malformed("a header of \(grouped(length)) bytes in a document of \(grouped(bytes.count))")
    }
    let data = UnsafeRawBufferPointer(rebasing: bytes[(8 + length)...])
    let header = try SafetensorsHeader(
      json: UnsafeRawBufferPointer(rebasing: bytes[8..<8 + length]), dataCount: data.count)
    self.init(header: header, data: data, owner: document)
  }

  /// The record that a header and its data make up.
  package init(header: SafetensorsHeader, data: UnsafeRawBufferPointer, owner: DocumentBytes) {
    self.init(
      metadata: header.metadata,
      tensors: header.entries.map { entry in
        let bytes = UnsafeRawBufferPointer(rebasing: data[entry.range])
        return (entry.name, StoredTensor(type: entry.type, shape: entry.shape, bytes: bytes, owner: owner))
      })
  }

  /// The length of the header, from a document's first eight bytes.
  package static func headerLength(_ bytes: UnsafeRawBufferPointer) throws -> Int {
    guard bytes.count >= 8 else {
      throw Damage.malformed("a document of \(counted(bytes.count, "byte")), too short for a safetensors header")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(SafetensorsHeader.maximumLength) else {
      throw Damage.malformed(
        "a header that claims \(grouped(length)) bytes; \(grouped(SafetensorsHeader.maximumLength)) are the most")
    }
    return Int(length)
  }
}
