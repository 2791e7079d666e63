/// Float32 memory, 64-byte aligned, that goes back to its pool when its last owner releases it. A matrix that it lends,
/// or a pointer within `withValues`, cannot outlive it.
public final class Buffer: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
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

  /// One value, checked: not for inner loops.
  public subscript(_ index: Int) -> Float {
    get {
      precondition(0..<count ~= index, "value \(index) of \(count)")
      return pointer[index]
    }
    set {
      precondition(0..<count ~= index, "value \(index) of \(count)")
      pointer[index] = newValue
    }
  }

  /// A copy of all values.
  public var array: [Float] { withValues { Array($0) } }

  /// Lends all values to a function. They must not be used after it returns.
  public func withValues<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeMutableBufferPointer(start: pointer, count: count))
  }

  /// Lends the memory of several buffers, in their order, to a job that works on all of them. The pointers must not be used
  /// after `body` returns.
  public static func withPointers<Result>(
    to buffers: [Buffer], _ body: ([UnsafeMutablePointer<Float>]) throws -> Result
  ) rethrows -> Result {
    defer { withExtendedLifetime(buffers) {} }
    return try body(buffers.map(\.pointer))
  }

  public func zero() { pointer.update(repeating: 0, count: count) }
}

extension Buffer {
  /// Its values as a matrix of float32, which cannot outlive it.
  @_lifetime(borrow self)
  public func matrix(rows: Int, columns: Int, stride: Int? = nil) -> Matrix {
    precondition(end(rows, columns, stride) <= count, "a matrix larger than its memory")
    return _overrideLifetime(Matrix(pointer, rows: rows, columns: columns, stride: stride), borrowing: self)
  }

  /// Its memory as a matrix of bfloat16, two values in the place of one, which cannot outlive it.
  @_lifetime(borrow self)
  public func bfloat16Matrix(rows: Int, columns: Int, stride: Int? = nil) -> BFloat16Matrix {
    precondition((end(rows, columns, stride) + 1) / 2 <= count, "a matrix larger than its memory")
    return _overrideLifetime(
      BFloat16Matrix(pointer.asBFloat16, rows: rows, columns: columns, stride: stride), borrowing: self)
  }

  /// A matrix of either type.
  @_lifetime(borrow self)
  public func operand(isBFloat16: Bool, rows: Int, columns: Int, stride: Int? = nil) -> Operand {
    if isBFloat16 { return .bfloat16(bfloat16Matrix(rows: rows, columns: columns, stride: stride)) }
    return .float32(matrix(rows: rows, columns: columns, stride: stride))
  }

  private func end(_ rows: Int, _ columns: Int, _ stride: Int?) -> Int {
    rows == 0 ? 0 : (rows - 1) * (stride ?? columns) + columns
  }
}
