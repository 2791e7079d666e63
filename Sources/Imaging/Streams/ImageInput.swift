// One of several sets of pictures that become one: its file, its share of each epoch, and the numbers of its classes.

import Foundation
import TensorStream

/// An images stream, and its weight among others.
public struct ImageInput: Sendable, Equatable {
  public var path: String
  /// Nil where nothing was said. Only the weights' ratios matter.
  public var weight: Double?

  public init(path: String, weight: Double? = nil) { (self.path, self.weight) = (path, weight) }

  /// Reads `a.stz` or `a.stz:0.7`. A file that has the whole text as its name is meant before any weight.
  /// Throws `Failure(.usage)` for a weight that is not above 0.
  public init(operand: String) throws {
    let parts = operand.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count > 1, let weight = Double(parts[parts.count - 1]), !FileManager.default.fileExists(atPath: operand)
    else {
      self.init(path: operand)
      return
    }
    guard weight > 0, weight.isFinite else {
      throw Failure(.usage, "\(operand): a weight of \(parts[parts.count - 1]): expected more than 0")
    }
    self.init(path: parts.dropLast().joined(separator: ":"), weight: weight)
  }
}

/// How many of a set's pictures an epoch has. Each is there `taken / rows` times, rounded down, and some once more.
/// These are others in each epoch, spread evenly over the set, so that over the epochs all come equally often.
public struct SetQuota: Sendable, Equatable {
  /// The set's first picture, counted through all sets.
  let firstRow: Int
  let rows: Int
  /// How many an epoch has, repetitions included.
  public let taken: Int

  /// The quotas of sets of so many rows: together an epoch has as many as all sets; each has its weight's share, rounded so that the
  /// sum is right.
  /// - Precondition: as many weights as sets, all above 0; fewer than 2^31 rows.
  public static func quotas(rows: [Int], weights: [Double]) -> [SetQuota] {
    let total = rows.reduce(0, +)
    let sum = weights.reduce(0, +)
    let ideal = weights.map { $0 / sum * Double(total) }
    var taken = ideal.map { Int($0) }
    // The pictures that rounding down has left go to the sets that lost most.
    let order = ideal.indices.sorted { a, b in
      let (lostA, lostB) = (ideal[a] - Double(taken[a]), ideal[b] - Double(taken[b]))
      return lostA == lostB ? a < b : lostA > lostB
    }
    for i in order.prefix(max(0, total - taken.reduce(0, +))) { taken[i] += 1 }
    var first = 0
    return zip(rows, taken).map { rows, taken in
      defer { first += rows }
      return SetQuota(firstRow: first, rows: rows, taken: taken)
    }
  }

  /// How often these rows of all sets, which lie in this one, are taken in an epoch, together.
  func count(_ range: Range<Int>, epoch: Int) -> Int {
    let (from, to) = (range.lowerBound - firstRow, range.upperBound - firstRow)
    let more = risen(to, epoch: epoch) - risen(from, epoch: epoch)
    return range.count * (taken / rows) + more
  }

  /// How many of the set's first `n` rows come once more, but for a constant.
  private func risen(_ n: Int, epoch: Int) -> Int { (n + epoch % rows) * (taken % rows) / rows }
}
