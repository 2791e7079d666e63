/// What matrices are multiplied in. Everything else (weights at rest, their gradients and moments, softmax, normalisations,
/// sums) is float32 either way.
public enum Precision: String, CaseIterable, Sendable {
  case float32
  /// Factors are rounded to bfloat16, products summed in float32. Check `BFloat16.unavailable` before choosing it.
  case bfloat16
}
