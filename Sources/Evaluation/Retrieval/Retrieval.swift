import CKernels
import Compute
import Networks
import Parallel
import TensorStream
import Training

/// How well a query's label is found among the most similar images of a bank.
public struct Retrieval: Sendable {
  /// What one query found.
  public struct Query: Sendable {
    /// The nearest of the bank first.
    public let neighbours: [(row: Int, similarity: Float)]
    /// The mean, over the bank's images with the query's label, of the precision at their ranks; nil where there is none.
    public let averagePrecision: Double?
    /// The share with the query's label of as many nearest as the bank has with it; nil where there is none.
    public let rPrecision: Double?
    /// Whether the nearest has the query's label; nil where none has.
    public let first: Bool?
  }

  public let queries: [Query]

  /// - Parameters:
  ///   - bank, queries: with labels; features of one width, of which lengths do not matter.
  ///   - neighbours: how many neighbours are kept for each query.
  ///   - excludesSelf: whether an image of the bank with the query's own number and name is passed over.
  ///   - onChunk: called with how many queries are done; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` where something does not fit. Of equally similar images the first counts as nearer.
  public init?(
    bank: Features, queries: Features, neighbours: Int = 0, excludesSelf: Bool = false, engine: Engine,
    onChunk: (Int) -> Bool = { _ in false }
  ) throws {
    guard bank.width == queries.width else {
      throw Failure(.data, "bank features of width \(bank.width), query features of width \(queries.width)")
    }
    guard bank.labels.count == bank.count, queries.labels.count == queries.count, queries.count > 0 else {
      throw Failure(.data, "retrieval needs a label for each of \(bank.count) and \(queries.count) images")
    }
    let (known, asked) = (
      unitRows(bank, 0..<bank.count, engine: engine), unitRows(queries, 0..<queries.count, engine: engine)
    )
    let chunk = max(1, min(256, (1 << 26) / max(bank.count, 1)))
    let similarities = engine.memory.take(chunk * bank.count)
    var found: [Query?] = Array(repeating: nil, count: queries.count)
    for start in stride(from: 0, to: queries.count, by: chunk) {
      let rows = min(chunk, queries.count - start)
      let matrix = similarities.matrix(rows: rows, columns: bank.count)
      engine.multiply(
        asked.matrix(rows: queries.count, columns: queries.width).rows(start..<start + rows),
        known.matrix(rows: bank.count, columns: bank.width), into: matrix, transposing: .right)
      found.withUnsafeMutableBufferPointer { found in
        nonisolated(unsafe) let found = found
        engine.threads.run(rows) { r in
          let row = UnsafeBufferPointer(start: matrix.row(r), count: bank.count)
          found[start + r] = Self.query(
            start + r, of: queries, in: bank, similarities: row, neighbours: neighbours, excludesSelf: excludesSelf)
        }
      }
      if onChunk(start + rows) { return nil }
    }
    self.queries = found.compactMap { $0 }
  }

  private static func query(
    _ query: Int, of queries: Features, in bank: Features, similarities: UnsafeBufferPointer<Float>, neighbours: Int,
    excludesSelf: Bool
  ) -> Query {
    var order = Array(0..<similarities.count)
    if excludesSelf {
      let (number, name) = (queries.index[query], queries.names?[query])
      order.removeAll { bank.index[$0] == number && bank.names?[$0] == name }
    }
    order.sort { similarities[$0] > similarities[$1] || similarities[$0] == similarities[$1] && $0 < $1 }
    let label = queries.labels[query]
    let relevant = order.count { bank.labels[$0] == label }
    let nearest = order.prefix(neighbours).map { (row: $0, similarity: similarities[$0]) }
    guard relevant > 0 else { return Query(neighbours: nearest, averagePrecision: nil, rPrecision: nil, first: nil) }
    var (hits, sum, early) = (0, 0.0, 0)
    for (rank, row) in order.enumerated() where bank.labels[row] == label {
      hits += 1
      sum += Double(hits) / Double(rank + 1)
      if rank < relevant { early += 1 }
    }
    return Query(
      neighbours: nearest, averagePrecision: sum / Double(relevant),
      rPrecision: Double(early) / Double(relevant), first: bank.labels[order[0]] == label)
  }

  /// Queries whose label no image of the bank has. No figure counts them.
  public var unmatched: Int { queries.count { $0.averagePrecision == nil } }

  /// `map`, the mean of the average precisions, `r_precision` and `top1`; empty where no query has a match.
  public func figures(_ bootstrap: Bootstrap, threads: ThreadPool) -> [Figure] {
    let values = [
      queries.compactMap(\.averagePrecision), queries.compactMap(\.rPrecision),
      queries.compactMap { $0.first.map { $0 ? 1 : 0 } },
    ]
    if values[0].isEmpty { return [] }
    let intervals = bootstrap.intervals(ofMeans: values, threads: threads)
    return ["map", "r_precision", "top1"].enumerated().map { place, name in
      Figure(name, values[place].reduce(0, +) / Double(values[place].count), intervals[place])
    }
  }
}
