import Autodiff
import CKernels
import Compute
import Ranks

/// Joins the gradients of a batch that is computed in shards, by this rank and by others.
///
/// After each shard its gradients are taken off the parameters into one flat piece of memory, where they are added in
/// the tree of shards (`TreeSum`). At the end of the batch each rank gets its slice of every rank's sums (a
/// reduce-scatter) and adds these in the same tree. So the gradients have the same bits for any number of ranks.
final class GradientJoin {
  let flat: FlatBlocks
  private let blocks: ParameterBlocks
  private let engine: Engine
  private var sum: TreeSum<Buffer>
  private var ranks: Ranks { engine.ranks }
  /// Values of a slice that are on their way at a time.
  private static let piece = 1 << 20

  init(_ blocks: ParameterBlocks, engine: Engine) {
    (self.blocks, self.engine) = (blocks, engine)
    flat = FlatBlocks(blocks, engine: engine)
    sum = Self.emptySum(engine)
    engine.ranks.shardEnded = { [unowned self] in endShard() }
  }

  private static func emptySum(_ engine: Engine) -> TreeSum<Buffer> {
    TreeSum(from: engine.ranks.shards(of: engine.ranks.rank).lowerBound) { a, b in
      Buffer.withPointers(to: [a, b]) { add(b.count, engine, $0[1], to: $0[0]) }
      return a
    }
  }

  /// Takes the gradients that a shard has left.
  private func endShard() {
    let memory = flat.take()
    flat.collect(blocks.blocks.indices, from: blocks.gradients(), into: memory)
    blocks.clearGradients()
    sum.append(memory)
  }

  /// Gives the parameters the gradients of the whole batch: those of this rank's blocks.
  func finish() {
    defer { sum = Self.emptySum(engine) }
    let origin = ranks.rank * flat.slice
    let total = ranks.count == 1 ? sum.total! : joined()
    flat.spread(blocks.own, from: total, at: origin, into: blocks.gradients(ofOwn: true))
  }

  /// This rank's slice of the sum over all shards.
  private func joined() -> Buffer {
    let mine = sum.nodes.map(\.part)
    let nodes = (0..<ranks.count).map { TreeNode.nodes(of: ranks.shards(of: $0)) }
    let total = engine.memory.take(flat.slice)
    let most = min(flat.slice, Self.piece)
    // A round for each node that a rank may have. Who has no more sends its last again, which nobody reads.
    let received = (0..<nodes.map(\.count).max()!).map { _ in engine.memory.take(ranks.count * most) }
    let wire = Wire(engine, values: ranks.count * most)
    Buffer.withPointers(to: mine + received + [total]) { pointers in
      for start in stride(from: 0, to: flat.slice, by: most) {
        let count = min(most, flat.slice - start)
        for round in received.indices {
          wire.exchange(
            pointers[min(round, mine.count - 1)] + start, stride: flat.slice, block: count,
            into: pointers[mine.count + round])
        }
        var sum = TreeSum<UnsafeMutablePointer<Float>>(from: 0) { [engine] a, b in
          Self.add(count, engine, b, to: a)
          return a
        }
        for (rank, nodes) in nodes.enumerated() {
          for (round, node) in nodes.enumerated() { sum.append(pointers[mine.count + round] + rank * count, of: node) }
        }
        (pointers[pointers.count - 1] + start).update(from: sum.total!, count: count)
      }
    }
    return total
  }

  private static func add(
    _ count: Int, _ engine: Engine, _ x: UnsafeMutablePointer<Float>, to sum: UnsafeMutablePointer<Float>
  ) {
    engine.rows(count, cost: 1) { pmae_axpy(1, x + $0.lowerBound, sum + $0.lowerBound, $0.count) }
  }
}

/// How gradients go from rank to rank: as they are, or in bfloat16, which halves the bytes and rounds each sum that is sent to
/// 8 bits.
private struct Wire {
  private let engine: Engine
  /// Of bfloat16, two values in the place of one: what goes, and what comes.
  private let halves: (out: Buffer, back: Buffer)?

  init(_ engine: Engine, values: Int) {
    self.engine = engine
    let half = (values + 1) / 2
    halves = engine.ranks.wire == .bfloat16 ? (engine.memory.take(half), engine.memory.take(half)) : nil
  }

  func exchange(_ from: UnsafePointer<Float>, stride: Int, block: Int, into to: UnsafeMutablePointer<Float>) {
    guard let halves else { return engine.ranks.exchange(from, stride: stride, block: block, into: to) }
    Buffer.withPointers(to: [halves.out, halves.back]) { pointers in
      let count = engine.ranks.count * block
      func words(_ pointer: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(pointer).bindMemory(to: UInt16.self, capacity: count)
      }
      let (out, back) = (words(pointers[0]), words(pointers[1]))
      for rank in 0..<engine.ranks.count { pmae_to_bfloat16(from + rank * stride, out + rank * block, block) }
      engine.ranks.exchange(out, block: block, into: back)
      pmae_from_bfloat16(back, to, count)
    }
  }
}
