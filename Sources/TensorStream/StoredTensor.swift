/// An immutable n-dimensional array as a document holds it: row-major, little-endian. It keeps the memory that it points
/// into alive, so a tensor of a record may outlive the record and its reader.
///
/// Unchecked, because memory lent with `init(type:shape:bytes:owner:)` is immutable by that initialiser's contract only.
public struct StoredTensor: @unchecked Sendable {
  public let type: ElementType
  /// Empty for a scalar.
  public let shape: [Int]
  /// The number of elements: the product of `shape`, 1 for a scalar.
  public let count: Int
  public var byteCount: Int { count * type.size }

  private enum Storage {
    case array(any ByteHolder)
    case lent(UnsafeRawBufferPointer, owner: AnyObject)
  }
  private let storage: Storage

  /// Holds `values` without copying them.
  /// - Precondition: the product of `shape` is `values.count`.
  public init<T: Element>(_ values: [T], shape: [Int]) {
    self.init(T.elementType, shape, byteCount: values.count * T.elementType.size, .array(ArrayHolder(values)))
  }

  /// Holds `bytes` without copying them.
  /// - Precondition: the product of `shape`, times the element size, is `bytes.count`.
  public init(type: ElementType, shape: [Int], bytes: [UInt8]) {
    self.init(type, shape, byteCount: bytes.count, .array(ArrayHolder(bytes)))
  }

  /// Points to `bytes`, which must stay where and as they are for as long as `owner` lives.
  /// - Precondition: the product of `shape`, times the element size, is `bytes.count`.
  public init(type: ElementType, shape: [Int], bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.init(type, shape, byteCount: bytes.count, .lent(bytes, owner: owner))
  }

  private init(_ type: ElementType, _ shape: [Int], byteCount: Int, _ storage: Storage) {
    guard let count = elementCount(shape: shape, type: type), count * type.size == byteCount else {
      preconditionFailure("a tensor of shape \(shape), \(type.rawValue), does not have \(byteCount) bytes")
    }
    self.type = type
    self.shape = shape
    self.count = count
    self.storage = storage
  }

  /// The elements' bytes. They are aligned to the element size unless they were lent unaligned.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch storage {
    case .array(let holder): try holder.withUnsafeBytes(body)
    case .lent(let bytes, let owner): try withExtendedLifetime(owner) { try body(bytes) }
    }
  }

  /// The elements, copied.
  /// - Throws: `Failure(.data)` where `T` is not the tensor's type.
  public func values<T: Element>(of: T.Type) throws -> [T] {
    try check(T.self)
    return withUnsafeBytes { copied($0, as: T.self) }
  }

  /// Calls `body` with the elements: in place, unless the memory is not aligned for `T`, in which case they are copied.
  /// - Throws: `Failure(.data)` where `T` is not the tensor's type.
  public func withValues<T: Element, R>(of: T.Type, _ body: (UnsafeBufferPointer<T>) throws -> R) throws -> R {
    try check(T.self)
    return try withUnsafeBytes { bytes in
      if Int(bitPattern: bytes.baseAddress) % MemoryLayout<T>.alignment == 0 {
        return try body(bytes.bindMemory(to: T.self))
      }
      return try copied(bytes, as: T.self).withUnsafeBufferPointer(body)
    }
  }

  private func check<T: Element>(_: T.Type) throws {
    guard T.elementType == type else {
      throw Failure(.data, "a tensor of \(T.elementType.rawValue) expected, found \(type.rawValue)")
    }
  }

  private func copied<T: Element>(_ bytes: UnsafeRawBufferPointer, as: T.Type) -> [T] {
    [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      initialized = count
    }
  }
}

/// The number of elements of a tensor of this shape; nil where a dimension is negative, or where the shape is so large that
/// its bytes could not be counted, zero dimensions left aside (so that no product of some of its dimensions overflows).
package func elementCount(shape: [Int], type: ElementType) -> Int? {
  var count = 1
  var bound = type.size
  for dimension in shape {
    guard dimension >= 0 else { return nil }
    let (product, overflow) = bound.multipliedReportingOverflow(by: max(dimension, 1))
    if overflow { return nil }
    bound = product
    count *= dimension
  }
  return count
}

/// Keeps an array of any element type, and lends its bytes.
private protocol ByteHolder: AnyObject {
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
}

private final class ArrayHolder<T: BitwiseCopyable>: ByteHolder {
  private let values: [T]
  init(_ values: [T]) { self.values = values }
  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try values.withUnsafeBytes(body)
  }
}
