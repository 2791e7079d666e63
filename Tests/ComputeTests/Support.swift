import Compute
import Parallel

/// Numbers for tests: normal, the same each time.
func numbers(_ count: Int, seed: UInt64 = 1, scale: Double = 1, shift: Double = 0) -> [Float] {
  var random = CounterRandom(seed: seed, epoch: 0, sample: count, purpose: 0x7E57)
  return (0..<count).map { _ in Float(scale * random.normal() + shift) }
}

/// The distance between neighbouring float32 values around a number; 2⁻¹⁴⁹ among the denormals.
func ulp(_ value: Double) -> Double {
  let size = abs(value)
  if size < 0x1p-126 { return 0x1p-149 }
  return Double(sign: .plus, exponent: size.exponent - 23, significand: 1)
}

/// How far a float32 result is from the true value, in units of the last place of the latter. Where the true value is
/// beyond float32's range or not a number, the same must come out.
func ulpError(_ result: Float, _ truth: Double) -> Double {
  if truth.isNaN { return result.isNaN ? 0 : .infinity }
  if abs(truth) >= 0x1p128 { return result == (truth < 0 ? -Float.infinity : .infinity) ? 0 : .infinity }
  return abs(Double(result) - truth) / ulp(truth)
}

/// The bits of values, for comparisons that tell −0 from 0 and hold for NaN.
func bits(_ values: some Sequence<Float>) -> [UInt32] { values.map(\.bitPattern) }

extension Buffer {
  /// Where it lies, to compare with other addresses.
  var address: UnsafeMutablePointer<Float> { withValues { $0.baseAddress! } }
}
