extension StoredTensor {
  /// The same values in float32: exact for F16 and BF16, the nearest for F64 (infinite where it is too large). Nil for
  /// whole numbers and truth values, which are no weights.
  public func float32() -> StoredTensor? {
    switch type {
    case .f32: self
    case .f16: converted(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bf16: converted(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .f64: converted(Double.self) { Float($0) }
    default: nil
    }
  }

  private func converted<T: BitwiseCopyable>(_: T.Type, _ value: (T) -> Float) -> StoredTensor {
    let values = withUnsafeBytes { bytes in
      (0..<count).map { value(bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)) }
    }
    return StoredTensor(values, shape: shape)
  }
}
