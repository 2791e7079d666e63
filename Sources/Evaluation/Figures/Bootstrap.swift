import Foundation
import Parallel

/// How much a figure would differ had other images been drawn: intervals by the bootstrap (Efron 1979), with percentiles.
///
/// Each resample takes as many images as there are, with replacement, by random numbers that depend on the seed and the resample's
/// number alone. So intervals are the same for any number of threads, and two figures of the same images have the same resamples.
public struct Bootstrap: Equatable, Sendable {
  /// 0: no intervals.
  public var resamples: Int
  public var seed: UInt64
  /// The share of resamples within an interval.
  public var level = 0.95

  public init(resamples: Int = 1000, seed: UInt64 = 0) { (self.resamples, self.seed) = (resamples, seed) }

  /// The interval of each of some figures; nil where no resample has a finite one.
  /// - Parameters:
  ///   - centres: the figures of all images. Where given, the resamples' figures are moved so that their mean is this. A measure of pairs needs
  ///     it: an image that is drawn twice makes a pair that always agrees, so that resamples as a whole agree too well.
  ///   - rows: n, how many images there are.
  ///   - figures: how many figures `compute` gives.
  ///   - compute: called with how often each image was drawn [n], and with where the figures go. One that is not defined is NaN.
  func intervals(
    about centres: [Double]? = nil, rows: Int, figures: Int, threads: ThreadPool,
    _ compute: (_ counts: [UInt32], _ figures: UnsafeMutableBufferPointer<Double>) -> Void
  ) -> [ClosedRange<Double>?] {
    if resamples == 0 || rows == 0 { return Array(repeating: nil, count: figures) }
    var values = [Double](repeating: .nan, count: resamples * figures)
    let (seed, count) = (seed, resamples)
    values.withUnsafeMutableBufferPointer { values in
      nonisolated(unsafe) let values = values
      withoutActuallyEscaping(compute) { compute in
        nonisolated(unsafe) let compute = compute
        threads.run(count) { sample in
          var random = CounterRandom(
            seed: seed, epoch: 0, sample: sample, purpose: MeasurePurpose.bootstrap.rawValue)
          var counts = [UInt32](repeating: 0, count: rows)
          for _ in 0..<rows { counts[random.below(rows)] += 1 }
          compute(counts, UnsafeMutableBufferPointer(rebasing: values[sample * figures..<(sample + 1) * figures]))
        }
      }
    }
    return (0..<figures).map { figure in
      let found = (0..<count).map { values[$0 * figures + figure] }.filter(\.isFinite)
      guard let centre = centres?[figure], let plain = interval(of: found) else { return interval(of: found) }
      let shift = centre - found.reduce(0, +) / Double(found.count)
      return plain.lowerBound + shift...plain.upperBound + shift
    }
  }

  /// The intervals of means over images.
  /// - Parameter values: for each figure a value an image.
  public func intervals(ofMeans values: [[Double]], threads: ThreadPool) -> [ClosedRange<Double>?] {
    guard let rows = values.first?.count else { return [] }
    return intervals(rows: rows, figures: values.count, threads: threads) { counts, figures in
      for (place, values) in values.enumerated() {
        var sum = 0.0
        for (value, count) in zip(values, counts) { sum += value * Double(count) }
        figures[place] = sum / Double(rows)
      }
    }
  }

  private func interval(of values: [Double]) -> ClosedRange<Double>? {
    if values.isEmpty { return nil }
    let sorted = values.sorted()
    let tail = (1 - level) / 2
    let low = quantile(tail, of: sorted)
    return low...max(low, quantile(1 - tail, of: sorted))
  }

  /// Between two values the line from one to the other, as NumPy has it.
  private func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}

/// A figure, and within which limits it would be with other images.
public struct Figure: Equatable, Sendable {
  public let name: String
  public let value: Double
  public let interval: ClosedRange<Double>?

  public init(_ name: String, _ value: Double, _ interval: ClosedRange<Double>?) {
    (self.name, self.value, self.interval) = (name, value, interval)
  }
}
