import CKernels
import Compute
import Foundation
import Testing

/// The innermost functions over the whole of float32, against Foundation's in double precision. The bounds are those that
/// CKernels.h states.
struct VectorKernelTests {
  typealias Kernel = @Sendable (_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) -> Void

  static let exponential: Kernel = { pmae_exp($0, $1, $2) }
  static let gelu: Kernel = { x, y, n in
    // Adding −0 changes nothing, not even −0.
    pmae_bias_gelu(x, n, [Float](repeating: -0.0, count: n), nil, y, n, 1, n)
  }
  static let geluSlope: Kernel = { x, y, n in
    let z = UnsafeMutablePointer<Float>.allocate(capacity: n)
    defer { z.deallocate() }
    z.update(from: x, count: n)
    pmae_gelu_backward([Float](repeating: 1, count: n), n, z, y, n, 1, n)
  }

  static func trueGELU(_ x: Double) -> Double { x * 0.5 * erfc(-x * 0.5.squareRoot()) }
  static func trueSlope(_ x: Double) -> Double {
    0.5 * erfc(-x * 0.5.squareRoot()) + x * exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
  }

  static func apply(_ kernel: Kernel, _ x: [Float]) -> [Float] {
    var y = [Float](repeating: .nan, count: x.count)
    y.withUnsafeMutableBufferPointer { y in kernel(x, y.baseAddress!, x.count) }
    return y
  }

  /// Every 1,009th float32 of both signs, denormals and all exponents among them (1,009 is prime, so that all low bits occur),
  /// of those that lie in the range.
  static func samples(in range: ClosedRange<Float>, step: Int = 1009) -> [Float] {
    stride(from: 0, to: Int(Float.infinity.bitPattern), by: step).flatMap {
      [Float(bitPattern: UInt32($0)), -Float(bitPattern: UInt32($0))]
    }.filter(range.contains)
  }

  /// The worst error and where.
  static func worst(
    _ kernel: Kernel, _ truth: (Double) -> Double, _ x: [Float], error: (Float, Double) -> Double = ulpError
  ) -> (error: Double, at: Float) {
    var worst = (error: 0.0, at: Float(0))
    for (x, y) in zip(x, apply(kernel, x)) {
      let e = error(y, truth(Double(x)))
      if !(e <= worst.error) { worst = (e, x) }
    }
    return worst
  }

  static let everything = -Float.greatestFiniteMagnitude...Float.greatestFiniteMagnitude

  @Test func expIsWithinOneAndATenthULP() {
    let worst = Self.worst(Self.exponential, exp, Self.samples(in: Self.everything))
    #expect(worst.error <= 1.1, "at \(worst.at)")
    // Densely where the result is neither 0 nor 1 nor infinite, the denormals with it.
    let dense = (0..<2_000_000).map { Float(-104 + 193 * Double($0) / 2_000_000) }
    let inside = Self.worst(Self.exponential, exp, dense)
    #expect(inside.error <= 1.1, "at \(inside.at)")
  }

  @Test func expOfSpecials() {
    let y = Self.apply(
      Self.exponential,
      [.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, 88.73, 1e38, -103.98, -1e38, -103.9])
    #expect(y[0].isNaN)
    #expect(Array(y[1...]) == [.infinity, 0, 1, 1, 1, .infinity, .infinity, 0, 0, .leastNonzeroMagnitude])
  }

  @Test func geluIsWithinSixULP() {
    let worst = Self.worst(Self.gelu, Self.trueGELU, Self.samples(in: Self.everything))
    #expect(worst.error <= 6, "at \(worst.at)")
    // The left tail down to where it leaves the denormals, and the bend.
    let dense = (0..<1_000_000).map { Float(-15 + 21 * Double($0) / 1_000_000) }
    let inside = Self.worst(Self.gelu, Self.trueGELU, dense)
    #expect(inside.error <= 6, "at \(inside.at)")
  }

  @Test func geluSlopeIsWithinFiveULPAndNearItsZeroWithinTwoTenMillionths() {
    let samples = Self.samples(in: Self.everything) + (0..<1_000_000).map { Float(-15 + 21 * Double($0) / 1_000_000) }
    let outside = Self.worst(Self.geluSlope, Self.trueSlope, samples.filter { $0 < -2 || $0 > 0 })
    #expect(outside.error <= 5, "at \(outside.at)")
    let inside = Self.worst(Self.geluSlope, Self.trueSlope, samples.filter { $0 >= -2 && $0 <= 0 }) {
      abs(Double($0) - $1)
    }
    #expect(inside.error <= 2e-7, "at \(inside.at)")
  }

  @Test func geluOfSpecials() {
    let specials: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1e38, -1e38]
    let y = Self.apply(Self.gelu, specials)
    #expect(y[0].isNaN)
    #expect(bits(y[1...]) == bits([.infinity, -0.0, 0, -0.0, 1e38, -0.0]))
    let slope = Self.apply(Self.geluSlope, specials)
    #expect(slope[0].isNaN)
    #expect(Array(slope[1...]) == [1, 0, 0.5, 0.5, 1, 0])
  }

  /// A value's result does not depend on where in an array it stands: whole vectors and the rest take the same steps.
  @Test func placeInTheArrayChangesNoBit() {
    let x = numbers(133, scale: 4)
    for kernel in [Self.exponential, Self.gelu, Self.geluSlope] {
      let all = Self.apply(kernel, x)
      for i in [0, 1, 15, 16, 31, 100, 132] {
        #expect(bits(Self.apply(kernel, [x[i]])) == [all[i].bitPattern])
        #expect(bits(Self.apply(kernel, Array(x[i...]))) == bits(all[i...]))
      }
    }
  }

  @Test func biasAndStridesAndSlopesMultiply() {
    let (rows, columns, stride) = (3, 19, 23)
    let tile = numbers(rows * columns, seed: 1)
    let bias = numbers(columns, seed: 2)
    var z = [Float](repeating: 9, count: rows * stride)
    var (y, alone, sums) = (z, z, z)
    pmae_bias_gelu(tile, columns, bias, &z, &y, stride, rows, columns)
    pmae_bias_gelu(tile, columns, bias, nil, &alone, stride, rows, columns)
    pmae_biased(tile, columns, bias, &sums, stride, rows, columns)
    #expect(alone == y && sums == z)
    for r in 0..<rows {
      for c in 0..<stride {
        let i = r * stride + c
        if c < columns {
          #expect(z[i] == tile[r * columns + c] + bias[c])
          #expect(ulpError(y[i], Self.trueGELU(Double(z[i]))) <= 6)
        } else {
          #expect(z[i] == 9 && y[i] == 9, "beyond the columns")
        }
      }
    }
    let (given, x) = (numbers(50, seed: 3), numbers(50, seed: 4))
    var (d, g) = (x, x)
    pmae_gelu_backward(given, 50, &g, &d, 50, 1, 50)
    for i in 0..<50 {
      #expect(ulpError(g[i], Self.trueGELU(Double(x[i]))) <= 6)
      #expect(
        abs(Double(d[i]) - Double(given[i]) * Self.trueSlope(Double(x[i]))) <= 4e-7 * abs(Double(given[i])) + 1e-12)
    }
  }

  /// The kernels that store bfloat16 round what the others compute, GELU and its slope to the last place, over their whole
  /// range.
  @Test func bfloat16KernelsRoundTheSameValues() {
    let (rows, columns, stride) = (3, 37, 41)
    func rounded(_ x: [Float]) -> [UInt16] {
      var y = [UInt16](repeating: 0, count: x.count)
      pmae_to_bfloat16(x, &y, x.count)
      return y
    }
    /// Within 0.6 of a bfloat16's last place, or 2e-4 (where a slope crosses zero); NaN for NaN.
    func areNear(_ rounded: [UInt16], _ x: [Float]) -> Bool {
      zip(rounded, x).allSatisfy { bits, exact in
        let y = Float(bitPattern: UInt32(bits) << 16)
        return y == exact || exact.isNaN && y.isNaN || abs(y - exact) <= max(0.6 * 0x1p-7 * abs(exact), 2e-4)
      }
    }
    let (tile, bias) = (numbers(rows * columns, seed: 1, scale: 3), numbers(columns, seed: 2))
    var (z, h) = ([Float](repeating: 0, count: rows * stride), [Float](repeating: 0, count: rows * stride))
    var (roundedZ, roundedH) = (rounded(z), rounded(h))
    pmae_bias_gelu(tile, columns, bias, &z, &h, stride, rows, columns)
    pmae_bias_gelu_bf16(tile, columns, bias, &roundedZ, &roundedH, stride, rows, columns)
    #expect(roundedZ == rounded(z) && areNear(roundedH, h))
    pmae_biased_bf16(tile, columns, bias, &roundedH, stride, rows, columns)
    #expect(roundedH == roundedZ)
    pmae_from_bfloat16(roundedZ, &z, z.count)
    pmae_gelu_backward(tile, columns, &z, &h, stride, rows, columns)
    pmae_gelu_backward_bf16(tile, columns, &roundedZ, &roundedH, stride, rows, columns)
    #expect(areNear(roundedZ, z) && areNear(roundedH, h))
    let all = (0...UInt16.max).map { $0 }
    var (wide, given) = ([Float](repeating: 0, count: 1 << 16), [Float](repeating: 0, count: 1 << 16))
    pmae_from_bfloat16(all, &given, 1 << 16)
    var near = all
    pmae_bias_gelu(given, 1 << 16, [Float](repeating: 0, count: 1 << 16), nil, &wide, 1 << 16, 1, 1 << 16)
    pmae_bias_gelu_bf16(given, 1 << 16, [Float](repeating: 0, count: 1 << 16), nil, &near, 1 << 16, 1, 1 << 16)
    #expect(areNear(near, wide))
    var (kept, keptWide) = (all, given)
    let ones = [Float](repeating: 1, count: 1 << 16)
    pmae_gelu_backward(ones, 1 << 16, &keptWide, &wide, 1 << 16, 1, 1 << 16)
    pmae_gelu_backward_bf16(ones, 1 << 16, &kept, &near, 1 << 16, 1, 1 << 16)
    #expect(areNear(near, wide) && areNear(kept, keptWide))
    var (sums, roundedSums) = ([Float](repeating: 0, count: columns), [Float](repeating: 0, count: columns))
    pmae_from_bfloat16(roundedH, &h, h.count)
    pmae_column_sums(h, &sums, rows, columns, stride, 0)
    pmae_column_sums_bf16(roundedH, &roundedSums, rows, columns, stride, 0)
    #expect(sums == roundedSums)
    var (y, roundedY, notes) = ([Float](repeating: 0, count: columns), rounded(bias), [Float](repeating: 0, count: 2))
    pmae_layer_norm(tile, bias, bias, &y, columns, 1e-6, &notes)
    pmae_layer_norm_bf16(tile, bias, bias, &roundedY, columns, 1e-6, &notes)
    #expect(roundedY == rounded(y))
  }

  @Test func finiteMeansFinite() {
    for n in [1, 7, 64, 1000] {
      var x = numbers(n, scale: 1e30)
      #expect(pmae_all_finite(x, n) == 1)
      for bad in [Float.nan, -Float.nan, .infinity, -.infinity, Float(bitPattern: 0x7F80_0001)] {
        for place in Set([0, n / 2, n - 1]) {
          let good = x[place]
          x[place] = bad
          #expect(pmae_all_finite(x, n) == 0)
          x[place] = good
        }
      }
    }
    #expect(
      pmae_all_finite([.greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0], 4) == 1)
  }

  /// b = 0 does not read what was there.
  @Test func sumsOfArrays() {
    let n = 77
    let (x, b) = (numbers(n, seed: 1), numbers(n, seed: 2))
    var y = [Float](repeating: .nan, count: n)
    pmae_axpby(2, x, 0, &y, n)
    #expect(y == x.map { 2 * $0 })
    pmae_axpby(0.5, x, 4, &y, n)
    #expect(zip(x, y).allSatisfy { abs($1 - 8.5 * $0) <= 1e-6 * abs(8.5 * $0) })
    pmae_add_scaled(x, -1, b, &y, n)
    #expect(zip(zip(x, b), y).allSatisfy { $0.0 - $0.1 == $1 })
    let exact = zip(x, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(pmae_dot(x, b, n) - exact) <= 1e-13 * zip(x, b).reduce(0) { $0 + abs(Double($1.0 * $1.1)) })
  }
}
