import Synchronization

/// Memory that is used again. After the first step of a run every request gets memory that an earlier step gave back,
/// so a steady step asks the system for nothing. Where blocks lie depends on the order of the requests alone.
public final class MemoryPool: Sendable {
  private let arena = Mutex(Arena())
  private let poisoning: Bool

  /// - Parameter poisoning: whether what comes back is filled with NaN, so that a test sees who reads it still.
  public init(poisoning: Bool = false) { self.poisoning = poisoning }

  // Every buffer holds its pool, so nothing is lent any more.
  deinit { arena.withLock { $0.release() } }

  /// Bytes taken from the system so far: all memory that was ever lent, whether it is lent or free now. Address space
  /// that is only reserved does not count, since no page of it was touched.
  public var bytes: Int { arena.withLock { $0.used } }

  /// Memory for `count` values, at least one, of any content.
  public func take(_ count: Int) -> Buffer {
    let (start, block) = arena.withLock { $0.take(bytes: max(count, 1) * MemoryLayout<Float>.stride) }
    let pointer = start.bindMemory(to: Float.self, capacity: max(count, 1))
    return Buffer(pointer: pointer, count: count, block: block, memory: self)
  }

  func give(_ block: Int) {
    arena.withLock { arena in
      if poisoning { arena.fill(block, with: 0xFF) }
      arena.give(block)
    }
  }
}
