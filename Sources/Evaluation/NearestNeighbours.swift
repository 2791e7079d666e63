import Compute
import Foundation
import Networks
import Parallel
import TensorStream
import Training

/// What one k gave.
public struct NeighbourScore: Equatable, Sendable {
  public let k: Int
  /// Of each image, how many classes have more votes than its label; `Int.max` where the label has none.
  public let ranks: [Int]

  public init(k: Int, ranks: [Int]) { (self.k, self.ranks) = (k, ranks) }

  public var images: Int { ranks.count }
  public var top1: Double { share(below: 1) }
  public var top5: Double { share(below: 5) }

  private func share(below rank: Int) -> Double { Double(ranks.count { $0 < rank }) / Double(ranks.count) }

  /// `top1` and `top5`.
  public func figures(_ bootstrap: Bootstrap, threads: ThreadPool) -> [Figure] {
    let intervals = bootstrap.intervals(
      ofMeans: [1, 5].map { rank in ranks.map { $0 < rank ? 1 : 0 } }, threads: threads)
    return [Figure("top1", top1, intervals[0]), Figure("top5", top5, intervals[1])]
  }
}

/// DINO's weighted k-NN classifier: each of the k training images that are most similar to a test image (cosine) votes for
/// its label with exp(similarity / temperature).
///
/// - Parameters:
///   - train, test: with labels; features of one width. Their lengths do not matter.
///   - ks: each from 1 to the number of training images.
///   - onChunk: called now and then with how many test images are done; returning true gives up: the result is nil.
/// - Returns: a score a k, in the order of `ks`. Of equal votes the lower class wins, of equally similar images the first. A label
///   without a vote is not among the first five, however few classes have one.
/// - Throws: `Failure(.data)` or `.usage` where something does not fit.
public func nearestNeighbourScores(
  train: Features, test: Features, ks: [Int], temperature: Double = 0.07, engine: Engine,
  onChunk: (Int) -> Bool = { _ in false }
) throws -> [NeighbourScore]? {
  guard train.width == test.width else {
    throw Failure(.data, "training features of width \(train.width), test features of width \(test.width)")
  }
  guard train.labels.count == train.count, test.labels.count == test.count, test.count > 0 else {
    throw Failure(.data, "k-NN needs a label for each of \(train.count) training and \(test.count) test images")
  }
  for k in ks where k < 1 || k > train.count {
    throw Failure(.usage, "k is \(k): expected 1 to the \(train.count) training images")
  }
  guard temperature > 0, temperature.isFinite else {
    throw Failure(.usage, "temperature is \(temperature): expected a number above 0")
  }
  // Labels may be any numbers, so votes are counted by a label's place among those in use.
  let classes = Set(train.labels + test.labels).sorted()
  let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
  let (knownClass, askedClass) = (train.labels.map { place[$0] ?? 0 }, test.labels.map { place[$0] ?? 0 })
  let most = ks.max() ?? 0
  var all = ks.map { _ in [Int]() }
  /// Among the classes that have votes; a class without one is behind them all.
  @Sendable func rank(of label: Int, among neighbours: ArraySlice<Neighbour>) -> Int {
    var votes = [Double](repeating: -1, count: classes.count)
    for neighbour in neighbours {
      let own = knownClass[neighbour.index]
      votes[own] = max(votes[own], 0) + exp(Double(neighbour.similarity) / temperature)
    }
    return votes[label] < 0 ? .max : rankOf(label, in: votes)
  }

  let search = NeighbourSearch(bank: train, most: most, engine: engine)
  for rows in search.blocks(of: test) {
    guard let nearest = search.neighbours(of: test, rows: rows, isStopped: { onChunk(rows.lowerBound) }) else {
      return nil
    }
    var ranks = [Int](repeating: 0, count: rows.count * ks.count)
    ranks.withUnsafeMutableBufferPointer { ranks in
      nonisolated(unsafe) let ranks = ranks
      engine.threads.run(rows.count) { r in
        let sorted = nearest[r].sorted()
        for (place, k) in ks.enumerated() {
          ranks[r * ks.count + place] = rank(of: askedClass[rows.lowerBound + r], among: sorted.prefix(k))
        }
      }
    }
    for r in 0..<rows.count { for place in ks.indices { all[place].append(ranks[r * ks.count + place]) } }
  }
  return zip(ks, all).map { NeighbourScore(k: $0, ranks: $1) }
}
