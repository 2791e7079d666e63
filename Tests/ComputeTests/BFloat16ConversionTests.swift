import CKernels
import Compute
import Parallel
import Testing

/// Rounding to bfloat16 and back, against a definition in double precision.
struct BFloat16ConversionTests {
  static func rounded(_ x: [Float]) -> [UInt16] {
    var y = [UInt16](repeating: 0, count: x.count)
    pmae_to_bfloat16(x, &y, x.count)
    return y
  }

  static func widened(_ x: [UInt16]) -> [Float] {
    var y = [Float](repeating: 0, count: x.count)
    pmae_from_bfloat16(x, &y, x.count)
    return y
  }

  /// The nearest of the two bfloat16 values around x, infinity counting as 2¹²⁸; the even one of equals. x is finite.
  static func nearest(_ x: Float) -> UInt16 {
    func value(_ bits: UInt16) -> Double {
      if bits & 0x7FFF == 0x7F80 { return bits < 0x8000 ? 0x1p128 : -0x1p128 }
      return Double(Float(bitPattern: UInt32(bits) << 16))
    }
    let towardsZero = UInt16(x.bitPattern >> 16)
    let away = towardsZero + 1
    let (below, above) = (abs(Double(x) - value(towardsZero)), abs(value(away) - Double(x)))
    if below != above { return below < above ? towardsZero : away }
    return towardsZero % 2 == 0 ? towardsZero : away
  }

  @Test func everyBFloat16GoesThereAndBack() {
    let all = (0...UInt16.max).map { $0 }
    let wide = Self.widened(all)
    #expect(bits(wide) == all.map { UInt32($0) << 16 })
    let quiet = all.map { $0 & 0x7FFF > 0x7F80 ? $0 | 0x40 : $0 }
    #expect(Self.rounded(wide) == quiet)
  }

  @Test func roundsToTheNearest() {
    // All exponents, denormals too, and all low bits (1,009 is prime), then random bits.
    var x = stride(from: 0, to: Float.infinity.bitPattern, by: 1009).map { Float(bitPattern: $0) }
    var random = CounterRandom(seed: 3, epoch: 0, sample: 0, purpose: 0)
    x += (0..<1_000_000).map { _ in Float(bitPattern: random.next32()) }.filter(\.isFinite)
    x += x.map { -$0 }
    #expect(Self.rounded(x) == x.map(Self.nearest))
  }

  @Test func tiesGoToTheEvenNeighbour() {
    // Half way from each bfloat16 to the next, of both signs, and the float32 values beside that.
    let halves = (0..<UInt32(0x7F80)).map { $0 << 16 | 0x8000 }
    let x = halves.flatMap { [$0 - 1, $0, $0 + 1] }.flatMap { [$0, $0 | 0x8000_0000] }.map { Float(bitPattern: $0) }
    let y = Self.rounded(x)
    #expect(y == x.map(Self.nearest))
    // 1 + 2⁻⁸ lies half way to 1 + 2⁻⁷, 1 + 3 · 2⁻⁸ half way to 1 + 2⁻⁶: both neighbours with an even last bit are outside.
    #expect(Self.rounded([1 + 0x1p-8, 1 + 3 * 0x1p-8]) == [0x3F80, 0x3F82])
  }

  @Test func specialValues() {
    let nan: [UInt32] = [0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FFF_FFFF, 0xFF80_0001, 0xFFFF_FFFF]
    for (x, y) in zip(nan, Self.rounded(nan.map { Float(bitPattern: $0) })) {
      #expect(
        y & 0x7FC0 == 0x7FC0 && y >> 15 == UInt16(x >> 31), "\(String(x, radix: 16)) became \(String(y, radix: 16))")
    }
    #expect(Self.rounded([.infinity, -.infinity, 0, -0.0]) == [0x7F80, 0xFF80, 0, 0x8000])
    #expect(Self.rounded([.greatestFiniteMagnitude, -.greatestFiniteMagnitude]) == [0x7F80, 0xFF80])
    // The largest float32 that is nearer to the largest bfloat16 than to 2¹²⁸.
    #expect(Self.rounded([Float(bitPattern: 0x7F7F_7FFF)]) == [0x7F7F])
  }

  /// Whole vectors, and what is left after them.
  @Test func everyLengthTouchesItsOwnValuesOnly() {
    let x = numbers(100)
    let expected = x.map(Self.nearest)
    for n in 0...80 {
      var rounded = [UInt16](repeating: 0xABCD, count: 100)
      pmae_to_bfloat16(x, &rounded, n)
      #expect(rounded == expected.prefix(n) + [UInt16](repeating: 0xABCD, count: 100 - n))
      var wide = [Float](repeating: 7, count: 100)
      pmae_from_bfloat16(expected, &wide, n)
      #expect(wide == Self.widened(Array(expected.prefix(n))) + [Float](repeating: 7, count: 100 - n))
    }
  }
}
