import Foundation

/// Float32 memory, 64-byte aligned, that goes back to its pool when the last owner lets go of it.
public final class Buffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  /// Values that may be used; the memory behind may be a little larger.
  public let count: Int
  private let memory: MemoryPool
  private let capacity: Int

  init(pointer: UnsafeMutablePointer<Float>, count: Int, capacity: Int, memory: MemoryPool) {
    self.pointer = pointer
    self.count = count
    self.capacity = capacity
    self.memory = memory
  }

  deinit { memory.give(pointer, capacity) }

  public var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  public func zero() { pointer.update(repeating: 0, count: count) }
}

/// Memory that is used again: after the first step of a run every request finds a block that an earlier step gave back,
/// so a steady step asks the system for nothing.
public final class MemoryPool: @unchecked Sendable {
  private let lock = NSLock()
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
  private var allocated = 0

  public init() {}

  deinit {
    for blocks in free.values { for block in blocks { block.deallocate() } }
  }

  /// Bytes taken from the system so far.
  public var bytes: Int { lock.withLock { allocated * 4 } }

  /// Memory for `count` values, at least one, of any content.
  public func take(_ count: Int) -> Buffer {
    let capacity = Self.capacity(for: count)
    if let (pointer, capacity) = lock.withLock({ reuse(capacity) }) {
      return Buffer(pointer: pointer, count: count, capacity: capacity, memory: self)
    }
    let raw = UnsafeMutableRawPointer.allocate(byteCount: capacity * 4, alignment: capacity >= 1 << 19 ? 1 << 21 : 64)
    #if os(Linux)
      // Large blocks on huge pages: fewer page faults at the start and fewer TLB misses in every GEMM.
      if capacity >= 1 << 19 { madvise(raw, capacity * 4, MADV_HUGEPAGE) }
    #endif
    lock.withLock { allocated += capacity }
    let pointer = raw.bindMemory(to: Float.self, capacity: capacity)
    return Buffer(pointer: pointer, count: count, capacity: capacity, memory: self)
  }

  /// A free block of the wanted size, or the next larger one up to half as large again: blocks of the forward pass then also
  /// serve the backward pass, whose sizes are others.
  private func reuse(_ wanted: Int) -> (UnsafeMutablePointer<Float>, capacity: Int)? {
    var best = wanted
    if free[wanted, default: []].isEmpty {
      best = free.lazy.filter { $0.key > wanted && $0.key <= wanted / 2 * 3 && !$0.value.isEmpty }.map(\.key).min() ?? 0
    }
    return free[best]?.popLast().map { ($0, best) }
  }

  fileprivate func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
    lock.withLock { free[capacity, default: []].append(pointer) }
  }

  /// Block sizes grow by eighths of a power of two, so that requests of nearly one size (drop path keeps a few samples
  /// more or fewer each step) share blocks, at a waste of 12.5 % at most.
  private static func capacity(for count: Int) -> Int {
    let wanted = max(count, 64)
    let power = Int.bitWidth - 1 - wanted.leadingZeroBitCount
    let step = max((1 << power) / 8, 16)
    return (wanted + step - 1) / step * step
  }
}
