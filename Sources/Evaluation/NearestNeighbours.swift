import CKernels
import Compute
import Foundation
import HeapModule
import Networks
import Parallel
import TensorStream
import Training

/// What one k gave.
public struct NeighbourScore: Equatable, Sendable {
  public let k: Int
  /// Of each image, how many classes have more votes than its label; `Int.max` where the label has none.
  public let ranks: [Int]

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
///   - onChunk: called with how many test images are done; returning true gives up: the result is nil.
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
  let known = unitRows(train, engine: engine)
  let asked = unitRows(test, engine: engine)
  // Labels may be any numbers, so votes are counted by a label's place among those in use.
  let classes = Set(train.labels + test.labels).sorted()
  let place = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
  let (knownClass, askedClass) = (train.labels.map { place[$0] ?? 0 }, test.labels.map { place[$0] ?? 0 })
  let most = ks.max() ?? 0
  var all = ks.map { _ in [Int]() }
  /// Among the classes that have votes; a class without one is behind them all.
  @Sendable func rank(of label: Int, among neighbours: ArraySlice<NearestFew.Neighbour>) -> Int {
    var votes = [Double](repeating: -1, count: classes.count)
    for neighbour in neighbours {
      let own = knownClass[neighbour.index]
      votes[own] = max(votes[own], 0) + exp(Double(neighbour.similarity) / temperature)
    }
    return votes[label] < 0 ? .max : rankOf(label, in: votes)
  }

  // A chunk of test images at a time: its similarities to all training images are one matrix.
  let chunk = max(1, min(256, (1 << 26) / max(train.count, 1)))
  let similarities = engine.memory.take(chunk * train.count)
  for start in stride(from: 0, to: test.count, by: chunk) {
    let rows = min(chunk, test.count - start)
    let matrix = similarities.matrix(rows: rows, columns: train.count)
    engine.multiply(
      asked.matrix(rows: test.count, columns: test.width).rows(start..<start + rows),
      known.matrix(rows: train.count, columns: train.width), into: matrix, transposing: .right)
    var ranks = [Int](repeating: 0, count: rows * ks.count)
    ranks.withUnsafeMutableBufferPointer { ranks in
      nonisolated(unsafe) let ranks = ranks
      engine.threads.run(rows) { r in
        var nearest = NearestFew(most)
        nearest.take(UnsafeBufferPointer(start: matrix.row(r), count: train.count))
        let sorted = nearest.sorted()
        for (place, k) in ks.enumerated() {
          ranks[r * ks.count + place] = rank(of: askedClass[start + r], among: sorted.prefix(k))
        }
      }
    }
    for r in 0..<rows { for place in ks.indices { all[place].append(ranks[r * ks.count + place]) } }
    if onChunk(start + rows) { return nil }
  }
  return zip(ks, all).map { NeighbourScore(k: $0, ranks: $1) }
}

/// The features divided by their lengths.
func unitRows(_ features: Features, engine: Engine) -> Buffer {
  let width = features.width
  let unit = engine.memory.take(features.values.count)
  features.values.withUnsafeBufferPointer { values in
    guard let base = values.baseAddress else { return }
    nonisolated(unsafe) let from = base
    let matrix = unit.matrix(rows: features.count, columns: width)
    engine.rows(features.count, cost: width) { rows in
      for r in rows { _ = pmae_normalise(from + r * width, matrix.row(r), width, 1e-12) }
    }
  }
  return unit
}

/// The few greatest of many similarities.
struct NearestFew {
  struct Neighbour: Comparable {
    let similarity: Float
    let index: Int

    /// The farther one is less; of equals the later one is.
    static func < (a: Neighbour, b: Neighbour) -> Bool {
      a.similarity < b.similarity || a.similarity == b.similarity && a.index > b.index
    }
  }

  private let capacity: Int
  private var nearest = Heap<Neighbour>()

  init(_ capacity: Int) {
    self.capacity = capacity
    nearest.reserveCapacity(capacity)
  }

  /// Takes the similarities of images 0, 1, 2, ….
  mutating func take(_ similarities: UnsafeBufferPointer<Float>) {
    let filled = min(capacity, similarities.count)
    for i in 0..<filled { nearest.insert(Neighbour(similarity: similarities[i], index: i)) }
    guard filled == capacity, var least = nearest.min?.similarity else { return }
    for i in filled..<similarities.count where similarities[i] > least {
      nearest.replaceMin(with: Neighbour(similarity: similarities[i], index: i))
      least = nearest.min!.similarity
    }
  }

  /// The nearest first.
  func sorted() -> [Neighbour] { nearest.unordered.sorted(by: >) }
}
