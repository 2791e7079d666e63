/// Float32 memory, 64-byte aligned, that goes back to its pool when the last owner lets go of it.
public final class Buffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  /// Values that may be used; the memory behind may be a little larger.
  public let count: Int
  private let memory: MemoryPool
  private let block: Int

  init(pointer: UnsafeMutablePointer<Float>, count: Int, block: Int, memory: MemoryPool) {
    self.pointer = pointer
    self.count = count
    self.block = block
    self.memory = memory
  }

  deinit { memory.give(block) }

  public var values: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

  public func zero() { pointer.update(repeating: 0, count: count) }
}
