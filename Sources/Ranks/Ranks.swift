import TensorStream

/// The processes that compute a run together. A process alone is one of one, and each operation gives back what it was
/// given.
///
/// A batch is cut into shards. Every rank has equally many, which follow each other. Numbers of shards are gathered and
/// added in a fixed tree (`TreeSum`). So what they add up to depends on the number of shards alone, not on how many
/// ranks there are, on their threads, or on who comes first.
///
/// All ranks call the same operations in the same order, each from one thread.
public final class Ranks: @unchecked Sendable {
  public let rank: Int
  public let count: Int
  /// Of the whole batch.
  public let shards: Int
  /// How gradients go from rank to rank.
  public let wire: Wire
  /// Of each rank; empty for a process alone.
  public let hosts: [String]
  private let line: (any RankLine)?
  /// Values of parameters whose gradients go from rank to rank together.
  public let bucket: Int
  /// Called by whoever computes a batch, once each shard of this rank has left its gradients.
  public var shardEnded: (() -> Void)?
  /// The follower of the backward pass that ends a shard (`Tape.follower`).
  public var follower: ((_ parameters: [ObjectIdentifier]) -> (_ parameter: ObjectIdentifier) -> Void)?

  /// A process alone.
  /// - Parameter shards: in how many a batch is computed.
  public init(shards: Int = 1) {
    (rank, count, hosts, line, self.shards, wire) = (0, 1, [], nil, shards, .float32)
    bucket = .max
  }

  /// One of the processes that a line connects.
  /// - Parameter shards: a multiple of their number; nil for one a rank.
  /// - Throws: `Failure(.usage)` where it is none.
  public init(on line: any RankLine, shards: Int? = nil, wire: Wire = .float32, bucket: Int = 1 << 22) throws {
    (rank, count, hosts, self.line, self.wire) = (line.rank, line.count, line.hosts, line, wire)
    self.bucket = bucket
    self.shards = shards ?? line.count
    if self.shards < 1 || !self.shards.isMultiple(of: count) {
      throw Failure(.usage, "\(self.shards) shards of a batch cannot be shared by \(count) ranks: make it a multiple")
    }
  }

  /// How gradients go from rank to rank. In bfloat16 they take half of the bytes, and are rounded.
  public enum Wire: String, CaseIterable, Sendable { case float32, bfloat16 }

  public var isFirst: Bool { rank == 0 }
  /// How many of the shards each rank has.
  public var shardsHere: Int { shards / count }
  /// The shards of a rank.
  public func shards(of rank: Int) -> Range<Int> { rank * shardsHere..<(rank + 1) * shardsHere }
}

// What ranks tell each other.
extension Ranks {
  /// The values of all ranks, in their order. Each has equally many.
  public func gather<T: BitwiseCopyable>(_ mine: [T]) -> [T] {
    guard let line, !mine.isEmpty else { return mine }
    return [T](unsafeUninitializedCapacity: count * mine.count) { all, filled in
      mine.withUnsafeBytes { line.gather($0, into: UnsafeMutableRawBufferPointer(all)) }
      filled = count * mine.count
    }
  }

  /// The list of each rank, in their order. Each has its own length.
  /// - Parameter padding: any value.
  public func gather<T: BitwiseCopyable>(lists mine: [T], padding: T) -> [[T]] {
    if line == nil { return [mine] }
    let counts = gather([mine.count])
    let longest = counts.max() ?? 0
    let all = gather(mine + [T](repeating: padding, count: longest - mine.count))
    return counts.enumerated().map { rank, count in Array(all[rank * longest..<rank * longest + count]) }
  }

  /// The texts of all ranks, in their order.
  public func gather(_ text: String) -> [String] {
    gather(lists: Array(text.utf8), padding: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Rank 0's text, for all.
  public func first(_ text: String) -> String {
    guard let line else { return text }
    var bytes = Array(text.utf8)
    var count = bytes.count
    withUnsafeMutableBytes(of: &count) { line.broadcast($0) }
    if count == 0 { return "" }
    if !isFirst { bytes = [UInt8](repeating: 0, count: count) }
    bytes.withUnsafeMutableBytes { line.broadcast($0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What the ranks' numbers add up to.
  public func total(_ number: Int) -> Int { gather([number]).reduce(0, +) }

  /// Of each flag, whether some rank has it.
  public func any(_ flags: [Bool]) -> [Bool] { greatest(flags.map { $0 ? 1 : 0 }).map { $0 > 0 } }

  /// The greatest of the ranks' values at each place. A NaN is not seen.
  public func greatest(_ values: [Float]) -> [Float] {
    let all = gather(values)
    return values.indices.map { i in (0..<count).reduce(-.infinity) { max($0, all[$1 * values.count + i]) } }
  }

  /// What the shards' values add up to, place by place.
  /// - Parameter mine: those of each of this rank's shards: equally many lists on every rank, all of one length.
  public func sum(_ mine: [[Float]]) -> [Float] { added(mine) }

  /// The same in double precision.
  public func sum(_ mine: [[Double]]) -> [Double] { added(mine) }

  /// The same of whole numbers.
  public func sum(_ mine: [[Int]]) -> [Int] { added(mine) }

  private func added<T: BitwiseCopyable & AdditiveArithmetic>(_ mine: [[T]]) -> [T] {
    let length = mine[0].count
    let all = gather(mine.flatMap { $0 })
    var sum = TreeSum<[T]>(from: 0) { a, b in zip(a, b).map { $0 + $1 } }
    for start in stride(from: 0, to: all.count, by: max(length, 1)) { sum.append(Array(all[start..<start + length])) }
    return sum.total ?? []
  }

  /// Begins an exchange, which goes on beside what this rank computes: block i of `from` goes to rank i, where it is block r of `to`; r is
  /// the rank that it came from. Both stay where they are, and nobody touches them, until `endExchange` has said that it is done.
  /// - Parameter stride: values from a block of `from` to the next; those of `to` follow each other.
  public func beginExchange(
    _ from: UnsafePointer<Float>, stride: Int, block: Int, into to: UnsafeMutablePointer<Float>
  ) { line!.beginExchange(from, stride: stride, block: block, into: to) }

  /// The same of values of 16 bits, whose blocks follow each other.
  public func beginExchange(_ from: UnsafePointer<UInt16>, block: Int, into to: UnsafeMutablePointer<UInt16>) {
    line!.beginExchange(from, block: block, into: to)
  }

  /// Whether the oldest of the exchanges that were begun is done. Once it said so, the next one is the oldest.
  /// - Parameter waits: until it is.
  public func endExchange(waits: Bool) -> Bool { line!.endExchange(waits: waits) }

  /// Another rank's values, as many as this rank's own, which that rank gets.
  /// - Parameter other: who has this rank as its own `other`; it may be this rank.
  public func swap<T: BitwiseCopyable>(_ mine: [T], with other: Int) -> [T] {
    guard let line, !mine.isEmpty else { return mine }
    return [T](unsafeUninitializedCapacity: mine.count) { theirs, filled in
      mine.withUnsafeBytes { own in
        let bytes = UnsafeMutableRawBufferPointer(start: theirs.baseAddress, count: own.count)
        line.swap(own, with: other, into: bytes)
      }
      filled = mine.count
    }
  }

  /// Block i of every rank's own memory becomes what rank i has there.
  public func gatherInPlace(_ all: UnsafeMutablePointer<Float>, block: Int) { line?.gatherInPlace(all, block: block) }
}
