// Work that needs no batch: held-out pictures, for example. Each piece of it is done by one rank.

extension Ranks {
  /// The pieces of some work that this rank does: every `count`-th, from that of its own number on.
  public func pieces(of all: Int) -> StrideTo<Int> { stride(from: rank, to: all, by: count) }

  /// Shares out pieces of work.
  /// - Parameters:
  ///   - values: of what a piece comes to.
  ///   - work: called for this rank's pieces, in order.
  /// - Returns: what all pieces came to, in their order, on every rank.
  /// - Throws: on all ranks where a piece fails on one.
  public func shareOut(_ all: Int, values: Int, _ work: (Int) throws -> [Double]) throws -> [[Double]] {
    let mine = try agree { try pieces(of: all).map(work) }
    let rounds = (all + count - 1) / count
    let found = gather(mine.flatMap { $0 } + [Double](repeating: 0, count: (rounds - mine.count) * values))
    return (0..<all).map { piece in
      let start = (piece % count * rounds + piece / count) * values
      return Array(found[start..<start + values])
    }
  }
}
