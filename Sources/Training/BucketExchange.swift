import CKernels
import Compute
import Ranks

/// The gradients of a step on their way from rank to rank, a bucket at a time.
///
/// All ranks send the same buckets in the same order, each when it has them. Nothing here waits before `finish`. So a rank whose backward
/// pass is another's, since it has no masked patch for example, stops nobody.
final class BucketExchange {
  private let flat: FlatBlocks
  private let engine: Engine
  /// Sums of this rank's shards, each of all parameters.
  private let mine: [Buffer]
  private let isFilled: Bool
  /// The nodes of the tree of shards that each rank has. There is a round for each that a rank may have. Who has no more
  /// sends its last again, which nobody reads.
  private let nodes: [[TreeNode]]
  private let rounds: Int
  /// This rank's slice of the sum over all shards.
  private let total: Buffer
  private var bucketOf: [ObjectIdentifier: Int] = [:]
  /// Parameters of each bucket whose gradients are not final.
  private var waiting: [Int]
  /// The bucket that is sent next.
  private var next = 0
  /// The oldest first.
  private var underway: [Travelling] = []
  private var blocks: ParameterBlocks { flat.blocks }
  private var ranks: Ranks { engine.ranks }

  /// A bucket that was sent.
  private struct Travelling {
    let bucket: Int
    let received: [Arriving]
    /// Rounds that are not done.
    var left: Int
  }

  /// - Parameters:
  ///   - isFilled: whether `mine` has the gradients; otherwise each bucket is taken off the parameters when it is sent.
  ///   - parameters: whose gradients are not final.
  init(
    _ flat: FlatBlocks, _ mine: [Buffer], isFilled: Bool, waitingFor parameters: [ObjectIdentifier] = [],
    engine: Engine
  ) {
    (self.flat, self.engine, self.mine, self.isFilled) = (flat, engine, mine, isFilled)
    let ranks = engine.ranks
    nodes = (0..<ranks.count).map { TreeNode.nodes(of: ranks.shards(of: $0)) }
    rounds = nodes.map(\.count).max()!
    total = engine.memory.take(flat.slice)
    waiting = flat.blocks.buckets.map { _ in 0 }
    let expected = Set(parameters)
    for (bucket, places) in flat.blocks.buckets.enumerated() {
      for place in places {
        let parameter = ObjectIdentifier(flat.blocks.parameters[place].parameter.tensor)
        if !expected.contains(parameter) { continue }
        bucketOf[parameter] = bucket
        waiting[bucket] += 1
      }
    }
  }

  /// Takes note that a parameter's gradient is final.
  func end(_ parameter: ObjectIdentifier) {
    guard let bucket = bucketOf.removeValue(forKey: parameter) else { return }
    waiting[bucket] -= 1
    advance()
  }

  /// Adds up what has come, and sends what can go.
  func advance() {
    while !underway.isEmpty, ranks.endExchange(waits: false) { roundEnded() }
    while next < waiting.count, waiting[next] == 0, mayStart { start() }
  }

  /// Sends what is left, and waits for all.
  /// - Returns: this rank's slice of the sum over all shards.
  func finish() -> Buffer {
    while next < waiting.count || !underway.isEmpty {
      while next < waiting.count, mayStart { start() }
      _ = ranks.endExchange(waits: true)
      roundEnded()
    }
    return total
  }

  /// What is underway takes memory for the gradients of a bucket from each rank.
  private var mayStart: Bool { underway.isEmpty || (underway.count + 1) * rounds <= min(4 * rounds, RankExchange.most) }

  private func start() {
    let place = flat.places[next]
    if !isFilled {
      flat.collect(blocks.portions[next].flatMap { Array($0) }, from: blocks.gradients, into: mine[0])
      blocks.clearGradients(of: blocks.buckets[next])
    }
    let received = (0..<rounds).map { round in
      let arriving = Arriving(engine, block: place.count)
      arriving.begin(from: mine[min(round, mine.count - 1)], at: place.lowerBound, stride: flat.slice)
      return arriving
    }
    underway.append(Travelling(bucket: next, received: received, left: rounds))
    next += 1
  }

  private func roundEnded() {
    underway[0].left -= 1
    if underway[0].left > 0 { return }
    let bucket = underway.removeFirst()
    let place = flat.places[bucket.bucket]
    let values = bucket.received.map { $0.values() }
    Buffer.withPointers(to: values + [total]) { pointers in
      var sum = TreeSum<UnsafeMutablePointer<Float>>(from: 0) { [engine] a, b in
        engine.add(b, to: a, count: place.count)
        return a
      }
      for (rank, nodes) in nodes.enumerated() {
        for (round, node) in nodes.enumerated() { sum.append(pointers[round] + rank * place.count, of: node) }
      }
      (pointers[values.count] + place.lowerBound).update(from: sum.total!, count: place.count)
    }
  }
}

/// What comes from all ranks in one exchange. Gradients go from rank to rank as they are, or in bfloat16, which halves the bytes and rounds
/// each sum that is sent to 8 bits.
private struct Arriving {
  private let engine: Engine
  /// Values of a rank.
  private let block: Int
  private let received: Buffer
  /// Of bfloat16, two values in the place of one.
  private let sent: Buffer?

  init(_ engine: Engine, block: Int) {
    (self.engine, self.block) = (engine, block)
    let count = engine.ranks.count * block
    let isHalf = engine.ranks.wire == .bfloat16
    received = engine.memory.take(isHalf ? (count + 1) / 2 : count)
    sent = isHalf ? engine.memory.take((count + 1) / 2) : nil
  }

  /// Sends block i, which begins i strides after a place, to rank i. Whoever holds this and the memory keeps both until it is done.
  func begin(from memory: Buffer, at place: Int, stride: Int) {
    Buffer.withPointers(to: [memory, received] + (sent.map { [$0] } ?? [])) { pointers in
      let from = pointers[0] + place
      guard sent != nil else {
        return engine.ranks.beginExchange(from, stride: stride, block: block, into: pointers[1])
      }
      let out = words(pointers[2])
      for rank in 0..<engine.ranks.count { pmae_to_bfloat16(from + rank * stride, out + rank * block, block) }
      engine.ranks.beginExchange(out, block: block, into: words(pointers[1]))
    }
  }

  /// The values of all ranks, once they are here.
  func values() -> Buffer {
    if sent == nil { return received }
    let count = engine.ranks.count * block
    let values = engine.memory.take(count)
    Buffer.withPointers(to: [received, values]) { pmae_from_bfloat16(words($0[0]), $0[1], count) }
    return values
  }

  private func words(_ pointer: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(pointer).bindMemory(to: UInt16.self, capacity: engine.ranks.count * block)
  }
}
