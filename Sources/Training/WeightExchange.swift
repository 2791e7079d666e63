import Compute
import Ranks

/// The weights that a step moves on their way from rank to rank, a bucket at a time: while one travels, the next is moved.
final class WeightExchange {
  private let flat: FlatBlocks
  private let engine: Engine
  /// The oldest first.
  private var underway: [Travelling] = []
  private var blocks: ParameterBlocks { flat.blocks }
  private var ranks: Ranks { engine.ranks }
  /// Each takes memory for a bucket of weights.
  private static let most = 4

  /// A bucket of this rank's weights that was sent, and what all ranks sent, rank after rank.
  private struct Travelling {
    let bucket: Int
    let sent: Buffer
    let received: Buffer
  }

  init(_ flat: FlatBlocks, engine: Engine) { (self.flat, self.engine) = (flat, engine) }

  /// Sends what this rank has moved of a bucket to all. All ranks send the same buckets in the same order.
  func send(_ bucket: Int) {
    if underway.count == Self.most {
      _ = ranks.endExchange(waits: true)
      arrived()
    }
    let block = flat.places[bucket].count
    let sent = engine.memory.take(block)
    let received = engine.memory.take(ranks.count * block)
    copy(blocks.portions[bucket][ranks.rank], of: bucket, sent) { weights, place, count in
      place.update(from: weights, count: count)
    }
    // A stride of 0: the same block for every rank.
    Buffer.withPointers(to: [sent, received]) {
      ranks.beginExchange($0[0], stride: 0, block: block, into: $0[1])
    }
    underway.append(Travelling(bucket: bucket, sent: sent, received: received))
    while !underway.isEmpty, ranks.endExchange(waits: false) { arrived() }
  }

  /// Waits until all are here.
  func finish() {
    while !underway.isEmpty {
      _ = ranks.endExchange(waits: true)
      arrived()
    }
  }

  /// Puts the weights of the oldest bucket where they belong.
  private func arrived() {
    let bucket = underway.removeFirst()
    for (rank, portion) in blocks.portions[bucket.bucket].enumerated() where rank != ranks.rank {
      copy(portion, of: bucket.bucket, bucket.received, from: rank) { weights, place, count in
        weights.update(from: place, count: count)
      }
    }
  }

  /// - Parameter rank: the place in the memory, which holds the bucket's values of one rank or of several.
  private func copy(
    _ chosen: Range<Int>, of bucket: Int, _ memory: Buffer, from rank: Int = 0,
    _ body: (_ weights: UnsafeMutablePointer<Float>, _ place: UnsafeMutablePointer<Float>, _ count: Int) -> Void
  ) {
    guard let first = chosen.first else { return }
    let weights = blocks.parameters.map { $0.parameter.tensor.values }
    Buffer.withPointers(to: weights + [memory]) { pointers in
      blocks.run(values: 2, in: chosen) { number in
        let (parameter, range) = blocks.blocks[number]
        let place = rank * flat.places[bucket].count + flat.offsets[number] - flat.offsets[first]
        body(pointers[parameter] + range.lowerBound, pointers[weights.count] + place, range.count)
      }
    }
  }
}
