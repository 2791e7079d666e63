import CKernels
import Compute
import Foundation
import HeapModule
import Training

/// The rows of a bank that are most similar (cosine) to each of some queries.
///
/// A part of the bank meets all queries before the next does, so it is packed once, and its similarities are looked at while
/// they are in cache: no matrix of them is ever whole.
struct NeighbourSearch {
  let bank: Features
  /// How many neighbours of a query are wanted, from 1 to the bank's rows.
  let most: Int
  let engine: Engine

  /// Rows of the bank that are packed at a time.
  private static let part = 1024

  /// Queries whose features and neighbours are held at a time: some 256 MiB.
  func blocks(of queries: Features) -> [Range<Int>] {
    let block = max(1, (1 << 26) / (queries.width + 4 * most))
    return stride(from: 0, to: queries.count, by: block).map { $0..<min($0 + block, queries.count) }
  }

  /// The neighbours of some of the queries.
  /// - Parameter isStopped: asked after each part of the bank; true gives up: the result is nil.
  func neighbours(of queries: Features, rows: Range<Int>, isStopped: () -> Bool) -> [NearestFew]? {
    let width = bank.width
    let asked = unitRows(queries, rows, engine: engine)
    let nearest = rows.map { _ in NearestFew(most) }
    for start in stride(from: 0, to: bank.count, by: Self.part) {
      let part = start..<min(start + Self.part, bank.count)
      let known = unitRows(bank, part, engine: engine)
      engine.multiply(
        .float32(asked.matrix(rows: rows.count, columns: width)),
        .float32(known.matrix(rows: part.count, columns: width)), transposing: .right, precision: .float32
      ) { tile in
        for (row, place) in zip(tile.rows, 0...) {
          nearest[row].take(
            UnsafeBufferPointer(start: tile.values.row(place), count: tile.columns.count),
            from: start + tile.columns.lowerBound)
        }
      }
      if isStopped() { return nil }
    }
    return nearest
  }
}

/// Features divided by their lengths.
func unitRows(_ features: Features, _ rows: Range<Int>, engine: Engine) -> Buffer {
  let width = features.width
  let unit = engine.memory.take(rows.count * width)
  features.values.withUnsafeBufferPointer { values in
    guard let base = values.baseAddress else { return }
    nonisolated(unsafe) let from = base + rows.lowerBound * width
    let matrix = unit.matrix(rows: rows.count, columns: width)
    engine.rows(rows.count, cost: width) { rows in
      for r in rows { _ = pmae_normalise(from + r * width, matrix.row(r), width, 1e-12) }
    }
  }
  return unit
}

/// An image of the bank, as near as it is to a query.
struct Neighbour: Comparable {
  let similarity: Float
  let index: Int

  /// The farther one is less; of equals the later one is.
  static func < (a: Neighbour, b: Neighbour) -> Bool {
    a.similarity < b.similarity || a.similarity == b.similarity && a.index > b.index
  }
}

/// The few nearest of many, which come in parts, in any order and from any thread.
final class NearestFew: @unchecked Sendable {
  private let capacity: Int
  private let lock = NSLock()
  private var nearest = Heap<Neighbour>()

  init(_ capacity: Int) {
    self.capacity = capacity
    nearest.reserveCapacity(capacity)
  }

  /// Takes the similarities of images `first`, `first` + 1, ….
  func take(_ similarities: UnsafeBufferPointer<Float>, from first: Int) {
    guard let base = similarities.baseAddress else { return }
    lock.lock()
    defer { lock.unlock() }
    var place = 0
    while nearest.count < capacity && place < similarities.count {
      nearest.insert(Neighbour(similarity: base[place], index: first + place))
      place += 1
    }
    guard var least = nearest.min else { return }
    while true {
      place = pmae_first_at_least(base, place, similarities.count, least.similarity)
      if place == similarities.count { return }
      let candidate = Neighbour(similarity: base[place], index: first + place)
      if least < candidate {
        nearest.replaceMin(with: candidate)
        least = nearest.min ?? candidate
      }
      place += 1
    }
  }

  /// The nearest first.
  func sorted() -> [Neighbour] { nearest.unordered.sorted(by: >) }
}
