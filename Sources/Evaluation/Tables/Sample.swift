/// The statistics of some values, of which there is at least one.
public struct Sample: Equatable, Sendable {
  public let count: Int
  public let mean: Double
  /// That of a sample, with n − 1; nil for one value.
  public let deviation: Double?
  /// Of an even number, the mean of the middle two.
  public let median: Double
  public let least: Double
  public let most: Double

  public init(_ values: [Double]) {
    precondition(!values.isEmpty)
    let sorted = values.sorted()
    let mean = values.reduce(0, +) / Double(values.count)
    count = values.count
    self.mean = mean
    // Sums about the mean, which keeps precision. The second sum removes the rounding error of the mean.
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let left = values.reduce(0) { $0 + ($1 - mean) }
    let n = Double(values.count)
    deviation = count > 1 ? (max(0, squares - left * left / n) / (n - 1)).squareRoot() : nil
    median = (sorted[count / 2] + sorted[(count - 1) / 2]) / 2
    (least, most) = (sorted[0], sorted[count - 1])
  }
}
