import CKernels
import Compute
import Foundation
import Testing

/// Kernels over a row, against the same in double precision. Errors are measured in units of float32's rounding (2⁻²⁴)
/// at the size named with each.
struct RowKernelTests {
  static let lengths = [1, 2, 3, 15, 16, 17, 31, 33, 64, 100, 197, 768, 4096]
  static let epsilon = 0x1p-24

  static func trueSoftmax(_ x: [Float], _ scale: Float) -> [Double] {
    let top = x.map(Double.init).max() ?? 0
    let e = x.map { exp((Double($0) - top) * Double(scale)) }
    let sum = e.reduce(0, +)
    return e.map { $0 / sum }
  }

  /// Each probability within 8 ULP + 2 for each unit that its scaled logit lies below the greatest: the logit's two roundings,
  /// of the difference and of its product with the scale, are errors of that size in exp's argument. What is less than 2⁻¹²⁶
  /// of the largest may be zero.
  @Test(arguments: lengths) func softmaxIsWithinEightULPAndTwiceTheDistance(_ n: Int) {
    for (spread, scale) in [(1.0, Float(1)), (3, 0.125), (30, 1), (1, 10), (0, 1)] {
      let x = numbers(n, seed: UInt64(n), scale: spread, shift: 5)
      let y = Self.softmax(x, scale)
      let truth = Self.trueSoftmax(x, scale)
      let top = x.max()!
      for i in 0..<n {
        let distance = Double((top - x[i]) * scale)
        #expect(
          ulpError(y[i], truth[i]) <= 8 + 2 * distance || abs(Double(y[i]) - truth[i]) <= 0x1.001p-126,
          "\(x[i]) of \(n), spread \(spread): \(y[i]) for \(truth[i])")
      }
      #expect(abs(y.reduce(0.0) { $0 + Double($1) } - 1) <= 1e-6)
    }
  }

  /// One row's softmax, which must be, but for rounding, what rows left unscaled are with their factor, and the same among others.
  static func softmax(_ x: [Float], _ scale: Float = 1) -> [Float] {
    let (n, stride) = (x.count, (x.count + 15) / 16 * 16 + 16)
    let row = x + [Float](repeating: 7, count: stride - n)
    var (several, unscaled) = (row + row + row, row)
    var share: [Float] = [0]
    pmae_softmax_rows(&several, 3, n, stride, scale, nil)
    pmae_softmax_rows(&unscaled, 1, n, stride, scale, &share)
    let y = Array(several[..<n])
    for r in 1..<3 { #expect(bits(several[r * stride..<r * stride + n]) == bits(y)) }
    pmae_scale_rows(&unscaled, 1, n, stride, share)
    #expect(bits(unscaled[..<n]) == bits(y))
    #expect(several[stride - 16..<stride].allSatisfy { $0 == 7 }, "beyond whole vectors")
    return y
  }

  @Test func softmaxOfSpecials() {
    let softmax = { Self.softmax($0) }
    #expect(softmax([0, -.infinity, 0]) == [0.5, 0, 0.5])
    #expect(softmax([1e30, 1e30, -1e30, 1e30]) == [Float(1) / 3, Float(1) / 3, 0, Float(1) / 3])
    #expect(softmax([3e38, -3e38]) == [1, 0])
    #expect(softmax([-.leastNonzeroMagnitude, .leastNonzeroMagnitude]) == [0.5, 0.5])
    for place in [0, 1, 33, 64] {
      var x = numbers(65)
      x[place] = .nan
      #expect(softmax(x).allSatisfy { $0.isNaN }, "one NaN at \(place) spoils the row and shows")
    }
    #expect(softmax([1, .infinity, 2]).contains { $0.isNaN }, "an infinite logit shows")
  }

  /// Within 12 roundings of a normalised value of size 1 + |x − mean| / σ, plus what the mean's own rounding costs,
  /// |mean| / σ.
  @Test(arguments: lengths) func layerNormIsWithinTwelveRoundings(_ n: Int) {
    for (scale, shift) in [(1.0, 0.0), (1e-3, 0), (1e6, 3e5), (1, 100), (1e-20, 0), (1e15, 1e15)] {
      let x = numbers(n, seed: UInt64(n), scale: scale, shift: shift)
      let (gamma, beta) = (numbers(n, seed: 2), numbers(n, seed: 3))
      var y = [Float](repeating: .nan, count: n)
      var statistics: [Float] = [0, 0]
      pmae_layer_norm(x, gamma, beta, &y, n, 1e-6, &statistics)
      let mean = x.reduce(0.0) { $0 + Double($1) } / Double(n)
      let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(n)
      let deviation = (variance + Double(Float(1e-6))).squareRoot()
      for i in 0..<n {
        let hat = (Double(x[i]) - mean) / deviation
        let truth = hat * Double(gamma[i]) + Double(beta[i])
        let size = abs(Double(gamma[i])) * (1 + abs(hat) + abs(mean) / deviation) + abs(Double(beta[i]))
        #expect(abs(Double(y[i]) - truth) <= 12 * Self.epsilon * size, "\(n) values of \(shift) ± \(scale)")
      }
    }
  }

  @Test func layerNormOfSpecials() {
    let n = 40
    func norm(_ x: [Float]) -> [Float] {
      var y = [Float](repeating: 0, count: n)
      var statistics: [Float] = [0, 0]
      pmae_layer_norm(
        x, [Float](repeating: 1, count: n), [Float](repeating: 0, count: n), &y, n, 1e-6, &statistics)
      return y
    }
    #expect(norm([Float](repeating: 7, count: n)).allSatisfy { $0 == 0 }, "a constant row has no deviation")
    for bad in [Float.nan, .infinity, -.infinity] {
      var x = numbers(n)
      x[17] = bad
      #expect(norm(x).contains { $0.isNaN }, "\(bad) shows")
    }
    #expect(norm([Float](repeating: .leastNonzeroMagnitude, count: n)).allSatisfy { abs($0) < 1e-30 })
  }

  @Test(arguments: lengths.filter { $0 > 1 }) func standardisedRowsHaveUnitUnbiasedVariance(_ n: Int) {
    let x = numbers(n, seed: 9, scale: 3, shift: -2)
    var y = [Float](repeating: 0, count: n)
    pmae_standardise(x, &y, n, 1e-6, 1)
    let mean = x.reduce(0.0) { $0 + Double($1) } / Double(n)
    let variance = x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(n - 1)
    for i in 0..<n {
      let truth = (Double(x[i]) - mean) / (variance + 1e-6).squareRoot()
      let size = 1 + abs(truth) + abs(mean) / variance.squareRoot()
      #expect(abs(Double(y[i]) - truth) <= 12 * Self.epsilon * size)
    }
  }

  /// The value within 1e-6 of Σ label (log Σ exp − logit) · scale, for labels that sum to 1 and that don't.
  @Test(arguments: lengths) func softCrossEntropyAgrees(_ n: Int) {
    for scale: Float in [1, 10] {
      let x = numbers(n, seed: 5)
      let label = numbers(n, seed: 6).map { abs($0) / Float(n) }
      var statistics: [Float] = [0, 0, 0]
      let value = pmae_soft_cross_entropy(x, label, n, scale, &statistics)
      let p = Self.trueSoftmax(x, scale)
      let truth = -zip(label, p).reduce(0.0) { $0 + Double($1.0) * log($1.1) }
      #expect(abs(value - truth) <= 1e-6 * (abs(truth) + Double(scale)))
      #expect(statistics[0] == x.max())
      // Its gradient: sum(label) softmax − label.
      var d = x
      pmae_soft_cross_entropy_backward(&d, label, n, scale, 0.5, statistics)
      let sum = label.reduce(0.0) { $0 + Double($1) }
      for i in 0..<n {
        #expect(
          abs(Double(d[i]) - 0.5 * (sum * p[i] - Double(label[i]))) <= 2e-6 * (sum * p[i] + Double(label[i])) + 1e-12)
      }
    }
  }

  @Test func theGreatestOfARow() {
    for n in Self.lengths {
      let x = numbers(n, seed: 8)
      #expect(pmae_maximum(x, n) == x.max())
      #expect(x[pmae_argmax(x, n)] == x.max())
    }
    #expect(pmae_argmax([1, 3, 3, 2], 4) == 1, "the first of equals")
    var x = [Float](repeating: -2, count: 40)
    #expect(pmae_argmax(x, 40) == 0)
    for i in [37, 19, 23] {
      (x[i], x[39]) = (5, 5)
      #expect(pmae_argmax(x, 40) == x.firstIndex(of: 5))
    }
    x[3] = .nan
    #expect(pmae_argmax(x, 40) == 19, "NaN is never the greatest")
    #expect(pmae_argmax([Float](repeating: .nan, count: 33), 33) == 0)
    #expect(pmae_maximum([-.infinity, -5], 2) == -5)
  }

  @Test(arguments: [(1, 1), (3, 5), (129, 64), (300, 65), (257, 130)])
  func columnSumsAddEveryRow(_ rows: Int, _ columns: Int) {
    let stride = columns + 3
    let x = numbers(rows * stride, seed: 4)
    let old = numbers(columns, seed: 5)
    for accumulate in [0, 1] {
      var y = accumulate == 1 ? old : [Float](repeating: .nan, count: columns)
      pmae_column_sums(x, &y, rows, columns, stride, Int32(accumulate))
      for c in 0..<columns {
        var (sum, size) = accumulate == 1 ? (Double(old[c]), abs(Double(old[c]))) : (0, 0)
        for r in 0..<rows {
          sum += Double(x[r * stride + c])
          size += abs(Double(x[r * stride + c]))
        }
        #expect(abs(Double(y[c]) - sum) <= 130 * Self.epsilon * size)
      }
    }
  }

  @Test func rowsScaledByColumnsSumToOne() {
    let n = 333
    let q = numbers(n, seed: 1).map { abs($0) + 0.01 }
    let column = numbers(n, seed: 2).map { abs($0) + 0.01 }
    var scaled = q
    pmae_scale_row(&scaled, column, n)
    let total = zip(q, column).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    for i in 0..<n {
      let truth = Double(q[i]) * Double(column[i]) / total
      #expect(abs(Double(scaled[i]) - truth) <= 1e-6 * truth)
    }
  }

  @Test func rowsOfUnitLength() {
    for n in Self.lengths {
      let x = numbers(n, seed: 3, scale: 5)
      var y = [Float](repeating: 0, count: n)
      let inverse = Double(pmae_normalise(x, &y, n, 1e-12))
      let length = x.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(inverse * length - 1) <= 8 * Self.epsilon)
      #expect(zip(x, y).allSatisfy { abs(Double($1) - Double($0) / length) <= 8 * Self.epsilon })
    }
    var y = [Float](repeating: 9, count: 5)
    #expect(pmae_normalise([0, 0, 0, 0, 0], &y, 5, 1e-12) == 1e12)
    #expect(y == [0, 0, 0, 0, 0], "a row of zeros stays one")
  }
}
