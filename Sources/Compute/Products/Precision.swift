/// What matrices are multiplied in, and what is kept for products alone. Everything else (weights at rest, their gradients and
/// moments, softmax, normalisations, sums) is float32 either way.
public enum Precision: String, CaseIterable, Codable, Sendable {
  case float32
  /// Factors are rounded to bfloat16, products summed in float32. Check `unavailable` before choosing it.
  case bfloat16

  /// Why `--precision` can't be it here, and how to get it, for an error message; nil where it can.
  public var unavailable: String? {
    guard self == .bfloat16, let reason = BFloat16.unavailable else { return nil }
    return "--precision bfloat16: \(reason)"
  }
}
