import Parallel
import TensorStream
import Training

/// Rows chosen within each class, by random numbers that depend on the seed and the class alone.
public enum LabelledRows {
  /// `count` rows of each class, in their order.
  /// - Throws: `Failure(.data)` where a class has fewer.
  public static func few(_ count: Int, of labels: [Int32], seed: UInt64, source: String) throws -> [Int] {
    precondition(count >= 1)
    return try byClass(labels).flatMap { label, rows in
      guard rows.count >= count else {
        throw Failure(
          .data,
          "\(source): class \(label) has \(counted(rows.count, "image")), fewer than the \(count) that are wanted")
      }
      return shuffled(rows, label: label, seed: seed, .fewLabels).prefix(count)
    }.sorted()
  }

  /// Splits rows so that each class has about the same share in both parts. A class with one row is in the first.
  /// - Parameter share: of the second part, above 0 and below 1.
  public static func split(_ labels: [Int32], share: Double, seed: UInt64) -> (kept: [Int], heldOut: [Int]) {
    var (kept, heldOut): ([Int], [Int]) = ([], [])
    for (label, rows) in byClass(labels) {
      let order = shuffled(rows, label: label, seed: seed, .heldOut)
      let count = min(rows.count - 1, max(1, Int((share * Double(rows.count)).rounded())))
      heldOut += order.prefix(count)
      kept += order.dropFirst(count)
    }
    return (kept.sorted(), heldOut.sorted())
  }

  private static func byClass(_ labels: [Int32]) -> [(label: Int32, rows: [Int])] {
    Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private static func shuffled(_ rows: [Int], label: Int32, seed: UInt64, _ purpose: MeasurePurpose) -> [Int] {
    var random = CounterRandom(seed: seed, epoch: 0, sample: Int(label), purpose: purpose.rawValue)
    return random.permutation(rows.count).map { rows[$0] }
  }
}
