import Autodiff
import CKernels
import Compute
import Ranks
import Synchronization

/// The parameters of an optimiser, cut into what a thread works on at a time: some neighbouring values of one parameter.
/// Most parameters are small, so all of them are one job.
///
/// Of several ranks each has a share of the blocks, whose moments it keeps and whose weights it moves (ZeRO's first
/// stage: Rajbhandari et al., 2020). Parameters are in buckets, those first whose gradients the backward pass ends first. Each rank has a
/// part of every bucket, so that a bucket's gradients can go to all of them while the rest is still computed.
final class ParameterBlocks {
  typealias Block = (parameter: Int, range: Range<Int>)

  let parameters: [TrainedParameter]
  /// Rank after rank, and of a rank bucket after bucket.
  let blocks: [Block]
  /// The blocks of each rank.
  let shares: [Range<Int>]
  /// The parameters of each bucket.
  let buckets: [[Int]]
  /// The blocks that each rank has of a bucket: [bucket][rank].
  let portions: [[Range<Int>]]
  /// Of each parameter the values that are in this rank's blocks.
  private let held: [Range<Int>]
  private let engine: Engine
  /// The gradients of this rank's blocks once they were joined, and where each block's begin.
  private var joined: (values: Buffer, starts: [Int])?

  init(_ parameters: [TrainedParameter], engine: Engine) {
    self.parameters = parameters
    self.engine = engine
    let ranks = engine.ranks
    let sizes = parameters.map { $0.parameter.tensor.count }
    let buckets = ranks.count == 1 ? [Array(parameters.indices)] : Self.buckets(of: sizes, values: ranks.bucket)
    let divided = buckets.map { bucket in
      let blocks = bucket.flatMap { place in
        stride(from: 0, to: sizes[place], by: 16384).map { (place, $0..<min(sizes[place], $0 + 16384)) }
      }
      return Self.divide(blocks, among: ranks.count)
    }
    var blocks: [Block] = []
    var portions = [[Range<Int>]](repeating: [], count: buckets.count)
    shares = (0..<ranks.count).map { rank in
      let first = blocks.count
      for (bucket, parts) in divided.enumerated() {
        portions[bucket].append(blocks.count..<blocks.count + parts[rank].count)
        blocks += parts[rank]
      }
      return first..<blocks.count
    }
    (self.buckets, self.blocks, self.portions) = (buckets, blocks, portions)
    var held = [Range<Int>](repeating: 0..<0, count: parameters.count)
    for block in blocks[shares[ranks.rank]] {
      let known = held[block.parameter]
      held[block.parameter] = (known.isEmpty ? block.range.lowerBound : known.lowerBound)..<block.range.upperBound
    }
    self.held = held
  }

  /// Parameters from the last to the first, in groups of so many values or a little more.
  private static func buckets(of sizes: [Int], values: Int) -> [[Int]] {
    var buckets: [[Int]] = [[]]
    var filled = 0
    for place in sizes.indices.reversed() {
      if filled >= values {
        buckets.append([])
        filled = 0
      }
      buckets[buckets.count - 1].insert(place, at: 0)
      filled += sizes[place]
    }
    return buckets
  }

  /// Blocks that follow each other for each of so many ranks, with about equally many values.
  private static func divide(_ blocks: [Block], among ranks: Int) -> [[Block]] {
    let values = blocks.reduce(0) { $0 + $1.range.count }
    var (end, before) = (0, 0)
    return (1...ranks).map { share in
      let first = end
      while end < blocks.count, before * ranks < share * values {
        before += blocks[end].range.count
        end += 1
      }
      return Array(blocks[first..<end])
    }
  }

  /// This rank's.
  var own: Range<Int> { shares[engine.ranks.rank] }
  var weightCount: Int { parameters.reduce(0) { $0 + $1.parameter.tensor.count } }
  /// The values of a share.
  func size(of share: Range<Int>) -> Int { blocks[share].reduce(0) { $0 + $1.range.count } }
  /// The place of a parameter's value in the moments that this rank keeps of it.
  func place(of value: Int, in parameter: Int) -> Int { value - held[parameter].lowerBound }

  /// Zeros for a moment of what this rank has of each parameter.
  func moments() -> [Buffer] {
    held.map { range in
      let values = engine.memory.take(range.count)
      values.zero()
      return values
    }
  }

  /// Each parameter's gradient; nil where there is none.
  var gradients: [Buffer?] { parameters.map { $0.parameter.tensor.gradient?.values } }

  func clearGradients() {
    clearGradients(of: parameters.indices)
    joined = nil
  }

  func clearGradients(of chosen: some Sequence<Int>) {
    for place in chosen { parameters[place].parameter.tensor.clearGradient() }
  }

  /// Takes the sums of the gradients of this rank's blocks.
  /// - Parameter starts: where each block's begin.
  func join(_ values: Buffer, starts: [Int]) { joined = (values, starts) }

  /// Lends the gradient of each of this rank's blocks; nil where there is none.
  func withGradients<R>(_ body: ((_ block: Int) -> UnsafeMutablePointer<Float>?) -> R) -> R {
    if let joined {
      return Buffer.withPointers(to: [joined.values]) { values in
        body { values[0] + joined.starts[$0 - self.own.lowerBound] }
      }
    }
    return withPointers(to: gradients) { pointers in
      body { number in
        let (parameter, range) = self.blocks[number]
        return pointers[parameter].map { $0 + range.lowerBound }
      }
    }
  }

  /// Gives a gradient of zeros to each parameter that has none, so that every block has one.
  func fillGradients() {
    if joined != nil { return }
    for trained in parameters where trained.parameter.tensor.gradient == nil {
      trained.parameter.tensor.setZeroGradient(engine)
    }
  }

  /// Of all ranks.
  func firstNonFiniteGradient() -> String? {
    let first = Atomic(Int.max)
    withGradients { gradient in
      run(values: 1) { block in
        let (parameter, range) = blocks[block]
        guard let gradient = gradient(block) else { return }
        if pmae_all_finite(gradient, range.count) == 0 { first.min(parameter, ordering: .relaxed) }
      }
    }
    return name(ofFirst: first.load(ordering: .relaxed))
  }

  /// The name of the first of the parameters that the ranks found.
  /// - Parameter place: the one that this rank found; `Int.max` for none.
  func name(ofFirst place: Int) -> String? {
    let first = engine.ranks.gather([place]).min()!
    return first == .max ? nil : parameters[first].name
  }

  /// The sum of squares of each parameter's gradient, 0 where there is none: of blocks, then of the blocks' sums in order.
  func gradientSquares() -> [Double] {
    let sums = withGradients { squares(in: own, of: $0) }
    let longest = shares.map(\.count).max()!
    let all = engine.ranks.gather(sums + [Double](repeating: 0, count: longest - sums.count))
    return added(shares.enumerated().flatMap { all[$0 * longest..<$0 * longest + $1.count] })
  }

  /// The same of the weights.
  func weightSquares() -> [Double] {
    let weights = parameters.map { $0.parameter.tensor.values }
    return Buffer.withPointers(to: weights) { pointers in
      added(squares(in: blocks.indices) { pointers[self.blocks[$0].parameter] + self.blocks[$0].range.lowerBound })
    }
  }

  private func squares(
    in chosen: Range<Int>, of values: (_ block: Int) -> UnsafeMutablePointer<Float>?
  ) -> [Double] {
    [Double](unsafeUninitializedCapacity: chosen.count) { buffer, count in
      let out = buffer
      run(values: 1, in: chosen) { block in
        out[block - chosen.lowerBound] = values(block).map { pmae_dot($0, $0, blocks[block].range.count) } ?? 0
      }
      count = chosen.count
    }
  }

  /// - Parameter sums: of all blocks.
  private func added(_ sums: [Double]) -> [Double] {
    var squares = [Double](repeating: 0, count: parameters.count)
    for (block, sum) in zip(blocks, sums) { squares[block.parameter] += sum }
    return squares
  }

  /// Lends the memory of some buffers; nil where there is none.
  func withPointers<R>(to buffers: [Buffer?], _ body: ([UnsafeMutablePointer<Float>?]) -> R) -> R {
    let places = buffers.indices.filter { buffers[$0] != nil }
    return Buffer.withPointers(to: places.compactMap { buffers[$0] }) { held in
      var pointers = [UnsafeMutablePointer<Float>?](repeating: nil, count: buffers.count)
      for (place, pointer) in zip(places, held) { pointers[place] = pointer }
      return body(pointers)
    }
  }

  /// Runs `body`, which moves the weights of a block, for each of this rank's, and gives what it moved to all ranks.
  /// - Parameter flat: where blocks are in memory that ranks send; nil for a process alone.
  func move(values: Int, sharing flat: FlatBlocks?, _ body: (_ block: Int) -> Void) {
    guard let flat, engine.ranks.count > 1 else { return run(values: values, body) }
    let exchange = WeightExchange(flat, engine: engine)
    for (bucket, portions) in portions.enumerated() {
      run(values: values, in: portions[engine.ranks.rank], body)
      exchange.send(bucket)
    }
    exchange.finish()
  }

  /// Runs `body` for each of this rank's blocks, by their numbers, on all threads.
  func run(values: Int, _ body: (_ block: Int) -> Void) { run(values: values, in: own, body) }

  /// The same for some blocks.
  /// - Parameter values: that are read and written for each of a block's, for a profile.
  func run(values: Int, in chosen: some RandomAccessCollection<Int>, _ body: (_ block: Int) -> Void) {
    engine.measure(.optimizer, values: values * chosen.reduce(0) { $0 + blocks[$1].range.count }) {
      engine.threads.run(chosen.count) { body(chosen[chosen.index(chosen.startIndex, offsetBy: $0)]) }
    }
  }
}
