// Memory that is filled before it becomes a tensor.

import Foundation
import TensorStream

/// Memory for the tensors of some records, which is written before it becomes them. Free again when nobody holds one.
final class Block<T: Element>: @unchecked Sendable {
  private let count: Int
  private let memory: BlockMemory
  private let bytes: UnsafeMutableRawBufferPointer
  var base: UnsafeMutablePointer<T> { bytes.baseAddress!.assumingMemoryBound(to: T.self) }

  init(_ count: Int, of memory: BlockMemory) {
    self.count = count
    self.memory = memory
    bytes = memory.take(max(1, count) * MemoryLayout<T>.stride)
    bytes.bindMemory(to: T.self)
  }

  deinit { memory.give(bytes) }

  /// Some of the rows, each of this shape.
  func tensor(rows: Range<Int>, shape: [Int]) -> StoredTensor {
    let row = shape.reduce(1, *)
    precondition(rows.lowerBound >= 0 && rows.upperBound * row <= count)
    let bytes = UnsafeRawBufferPointer(
      start: base + rows.lowerBound * row, count: rows.count * row * MemoryLayout<T>.size)
    return StoredTensor(type: T.elementType, shape: [rows.count] + shape, bytes: bytes, owner: self)
  }
}

/// Blocks that were let go of, for the next of the same size: memory fresh from the system costs a page fault every 4 KiB, in which
/// threads wait for each other.
final class BlockMemory: @unchecked Sendable {
  private let lock = NSLock()
  private var spare: [UnsafeMutableRawBufferPointer] = []
  /// Less comes from memory that the process keeps.
  private static let least = 1 << 17

  deinit { for block in spare { block.deallocate() } }

  func take(_ size: Int) -> UnsafeMutableRawBufferPointer {
    if size < Self.least { return .allocate(byteCount: size, alignment: 64) }
    lock.lock()
    defer { lock.unlock() }
    if let found = spare.firstIndex(where: { $0.count == size }) { return spare.remove(at: found) }
    // What does not fit was for batches of another length.
    for block in spare { block.deallocate() }
    spare = []
    return .allocate(byteCount: size, alignment: 64)
  }

  func give(_ block: UnsafeMutableRawBufferPointer) {
    if block.count < Self.least { return block.deallocate() }
    lock.lock()
    defer { lock.unlock() }
    spare.append(block)
  }
}
