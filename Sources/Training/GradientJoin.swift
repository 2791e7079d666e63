import CKernels
import Compute
import Ranks

/// Joins the gradients of a batch that is computed in shards, by this rank and by others.
///
/// Each rank gets its slice of every rank's sums (a reduce-scatter), and adds these in the tree of shards (`TreeSum`). So the gradients have
/// the same bits for any number of ranks. A rank of one shard sends each bucket of gradients while the backward pass still computes those of
/// the layers below. A rank of several shards adds these up first, in the same tree.
final class GradientJoin {
  let flat: FlatBlocks
  private let blocks: ParameterBlocks
  private let engine: Engine
  private var sum: TreeSum<Buffer>
  /// What began with the backward pass.
  private var early: BucketExchange?
  private var ranks: Ranks { engine.ranks }

  init(_ blocks: ParameterBlocks, engine: Engine) {
    (self.blocks, self.engine) = (blocks, engine)
    flat = FlatBlocks(blocks, engine: engine)
    sum = Self.emptySum(engine)
    engine.ranks.shardEnded = { [unowned self] in endShard() }
    if engine.ranks.count > 1 && engine.ranks.shardsHere == 1 {
      engine.ranks.follower = { [unowned self] in follow($0) }
    }
  }

  private static func emptySum(_ engine: Engine) -> TreeSum<Buffer> {
    TreeSum(from: engine.ranks.shards(of: engine.ranks.rank).lowerBound) { a, b in
      Buffer.withPointers(to: [a, b]) { engine.add($0[1], to: $0[0], count: b.count) }
      return a
    }
  }

  /// Sends what no loss will reach, then each bucket as the last of its gradients is final.
  private func follow(_ parameters: [ObjectIdentifier]) -> (ObjectIdentifier) -> Void {
    let exchange = BucketExchange(flat, [flat.take()], isFilled: false, waitingFor: parameters, engine: engine)
    early = exchange
    exchange.advance()
    return { exchange.end($0) }
  }

  /// Takes the gradients that a shard has left.
  private func endShard() {
    if early != nil { return }
    let memory = flat.take()
    flat.collect(blocks.blocks.indices, from: blocks.gradients, into: memory)
    blocks.clearGradients()
    sum.append(memory)
  }

  /// Joins the gradients of this rank's blocks over the whole batch.
  func finish() {
    defer {
      early = nil
      sum = Self.emptySum(engine)
    }
    if ranks.count == 1 { return blocks.join(sum.total!, starts: flat.starts) }
    let exchange = early ?? BucketExchange(flat, sum.nodes.map(\.part), isFilled: true, engine: engine)
    blocks.join(exchange.finish(), starts: flat.starts)
  }
}

extension Engine {
  /// Adds values to others.
  func add(_ x: UnsafeMutablePointer<Float>, to sum: UnsafeMutablePointer<Float>, count: Int) {
    rows(count, cost: 1) { pmae_axpy(1, x + $0.lowerBound, sum + $0.lowerBound, $0.count) }
  }
}
