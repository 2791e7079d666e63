import Compute
import Ranks
import Schemas
import TensorStream
import Training

extension FeatureExtractor {
  /// The features of the next `count` rows, an epoch: each rank computes some of them, and gets all.
  /// - Parameter onChunk: called with how many are done; where it returns true on one rank, all give up: the result is nil.
  /// - Throws: `Failure(.data)` as `features(of:count:engine:onChunk:)` does, on all ranks.
  func features(
    sharing views: LabelledViews, count: Int, engine: Engine, onChunk: (Int) -> Bool
  ) throws -> Features? {
    let ranks = engine.ranks
    if ranks.count == 1 { return try features(of: views, count: count, engine: engine, onChunk: onChunk) }
    let batches = views.batches
    try ranks.agree {
      try Features.requireRoom(count: count, width: width, source: batches.reader.name)
      if let part = batches.header.part { try check(part, count: count, of: ranks, source: batches.reader.name) }
    }
    // Of a file, chunks are the same for any number of ranks. A stream for each rank has its part of every batch.
    let chunk = batches.header.part.map { $0.batch / $0.count } ?? Self.chunk
    var (values, labels) = ([Float](), [Int32]())
    values.reserveCapacity(count * width)
    for start in stride(from: 0, to: count, by: ranks.count * chunk) {
      let end = min(start + ranks.count * chunk, count)
      let first = min(start + ranks.rank * chunk, end)
      let last = min(first + chunk, end)
      let mine = try ranks.agree {
        try batches.skip(first - start)
        let mine = try features(of: views, count: last - first, engine: engine) ?? Features(width: width)
        try batches.skip(end - last)
        return mine
      }
      let missing = chunk - mine.count
      values += ranks.gather(mine.values + [Float](repeating: 0, count: missing * width)).prefix((end - start) * width)
      labels += ranks.gather(mine.labels + [Int32](repeating: 0, count: missing)).prefix(end - start)
      if ranks.any([onChunk(end)])[0] { return nil }
    }
    return Features(values: values, width: width, labels: labels)
  }

  private func check(_ part: ViewPart, count: Int, of ranks: Ranks, source: String) throws {
    guard (part.index, part.count) == (ranks.rank, ranks.count) else {
      throw Failure(.data, "\(source): is part \(part.text): expected \(ranks.rank)/\(ranks.count)")
    }
    guard count.isMultiple(of: part.batch) else {
      throw Failure(
        .data,
        "\(source): is part \(part.text) of batches of \(part.batch), without the last \(count % part.batch) rows of an epoch: linear mode "
          + "reads all \(count), so give pmae-augment a --batch that divides them, or each rank a file of all views")
    }
  }
}
