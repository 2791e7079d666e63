import Autodiff
import Compute

// What is over a whole batch, whose parts are on this rank and on others.
extension Engine {
  /// A sum over all parts of the batch, [1, C]: first over those of a shard, one after the other, then over the shards.
  /// - Parameters:
  ///   - parts: those of this rank, [R, C] each; each shard has equally many.
  ///   - add: adds a part's sum to a row of sums, or writes it there where it is the first.
  func sumOfBatch(_ parts: [Tensor], _ add: (_ part: Tensor, _ sums: Tensor, _ adding: Bool) -> Void) -> Tensor {
    let columns = parts[0].columns
    func row() -> Tensor { Tensor(rows: 1, columns: columns, values: memory.take(columns)) }
    let each = parts.count / ranks.shardsHere
    let shards = (0..<ranks.shardsHere).map { shard in
      let sums = row()
      for place in 0..<each { add(parts[shard * each + place], sums, place > 0) }
      return sums
    }
    if ranks.shards == 1 { return shards[0] }
    let sums = row()
    let total = ranks.sum(shards.map { $0.withValues { Array($0) } })
    sums.withValues { _ = $0.update(fromContentsOf: total) }
    return sums
  }

  /// The rows of a tensor of every rank, in their order, and which row is this rank's first. Constant: no gradient passes.
  func rowsOfAllRanks(_ x: Tensor) -> (rows: Tensor, first: Int) {
    if ranks.count == 1 { return (x, 0) }
    let own = x.withMatrix { x in (0..<x.rows).flatMap { UnsafeBufferPointer(start: x.row($0), count: x.columns) } }
    let all = ranks.gather(own)
    let rows = Tensor(rows: ranks.count * x.rows, columns: x.columns, values: memory.take(all.count))
    rows.withValues { _ = $0.update(fromContentsOf: all) }
    return (rows, ranks.rank * x.rows)
  }
}
