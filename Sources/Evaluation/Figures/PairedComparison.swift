import Foundation
import Parallel

/// Whether one classifier is right more often than another on the same images.
public struct PairedComparison: Sendable {
  /// The shares of images that each is right of.
  public let first: Figure
  public let second: Figure
  /// The first's less the second's. Resamples draw pairs, so what is hard for both does not widen the interval.
  public let difference: Figure
  /// Images that the first alone is right of, and that the second alone is.
  public let onlyFirst: Int
  public let onlySecond: Int
  /// McNemar's test, exact: how likely so uneven a split of those images is where both are equally good.
  public let p: Double

  /// - Parameters:
  ///   - first, second: whether each image is right, in the same order; at least one.
  public init(_ first: [Bool], _ second: [Bool], bootstrap: Bootstrap, threads: ThreadPool) {
    precondition(first.count == second.count && !first.isEmpty)
    let (a, b) = (first.map { $0 ? 1.0 : 0 }, second.map { $0 ? 1.0 : 0 })
    let differences = zip(a, b).map { $0 - $1 }
    let intervals = bootstrap.intervals(ofMeans: [a, b, differences], threads: threads)
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    self.first = Figure("top1", mean(a), intervals[0])
    self.second = Figure("top1", mean(b), intervals[1])
    difference = Figure("difference", mean(differences), intervals[2])
    onlyFirst = differences.count { $0 > 0 }
    onlySecond = differences.count { $0 < 0 }
    p = Self.exact(onlyFirst, onlySecond)
  }

  /// Twice the smaller tail of a fair coin's throws.
  static func exact(_ heads: Int, _ tails: Int) -> Double {
    let throwsInAll = heads + tails
    let few = min(heads, tails)
    if heads == tails { return 1 }
    let (n, k) = (Double(throwsInAll), Double(few))
    // Terms from the greatest down, relative to it: they fall quickly.
    let choices: Double = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    let greatest = choices - n * log(2.0)
    var (term, sum) = (1.0, 1.0)
    for i in stride(from: few, to: 0, by: -1) {
      term *= Double(i) / (n - Double(i) + 1)
      sum += term
    }
    return min(1, 2 * exp(greatest) * sum)
  }
}
