import Ranks
import TensorStream

/// How the ranks of a run share each batch, and in which parts a rank computes its rows.
public struct BatchShare {
  /// Rows of a part.
  public let rows: Int
  /// Of this rank.
  public let parts: Int
  private let batch: Int
  private let ranks: Ranks
  /// Rows of a rank.
  private var share: Int { batch / ranks.count }

  /// - Parameters:
  ///   - accumulate: in how many parts a shard is computed.
  ///   - whole: why a rank's rows must be computed at once, for a message; nil: they may be in parts.
  /// - Throws: `Failure(.usage)` where the batch cannot be divided so.
  public init(batch: Int, accumulate: Int = 1, ranks: Ranks, whole: String? = nil) throws {
    try Self.require(parts: accumulate, whole: whole)
    let all = ranks.shards * accumulate
    guard batch.isMultiple(of: all) else {
      let each = accumulate > 1 ? " of \(counted(accumulate, "part")) each" : ""
      throw Failure(
        .usage,
        "batch \(batch) cannot be divided among \(counted(ranks.shards, "shard"))\(each): expected a multiple of \(all)"
      )
    }
    if let whole, ranks.shardsHere > 1 {
      throw Failure(
        .usage,
        "\(whole), so a rank has one shard: expected \(counted(ranks.shards, "rank")), not \(ranks.count)")
    }
    (self.batch, self.ranks) = (batch, ranks)
    parts = ranks.shardsHere * accumulate
    rows = batch / all
  }

  /// Throws `Failure(.usage)` where a batch that must be computed at once, as `whole` says, is to be in several parts.
  public static func require(parts: Int, whole: String?) throws {
    if let whole, parts > 1 {
      throw Failure(.usage, "\(whole), so it has no parts: expected no --accumulate, not \(parts)")
    }
  }

  /// The rows of a batch that this rank has, part after part.
  public var ranges: [Range<Int>] {
    (0..<parts).map { part in
      let first = ranks.rank * share + part * rows
      return first..<first + rows
    }
  }

  /// Takes this rank's rows of the next batch, and passes over the others.
  /// - Parameter next: takes the rows of a part.
  public func take<Part>(from views: ViewBatches, _ next: (_ rows: Int) throws -> Part) throws -> [Part] {
    try views.skip(ranks.rank * share)
    let taken = try (0..<parts).map { _ in try next(rows) }
    try views.skip((ranks.count - 1 - ranks.rank) * share)
    return taken
  }

  /// - Throws: `Failure(.data)` where the views hold a part of every batch that is not this rank's.
  public func check(_ views: ViewBatches) throws {
    guard let part = views.header.part else { return }
    guard (part.index, part.count, part.batch) == (ranks.rank, ranks.count, batch) else {
      throw Failure(
        .data,
        "\(views.reader.name): is part \(part.text) of batches of \(part.batch): expected \(ranks.rank)/\(ranks.count) of \(batch)"
      )
    }
  }
}
