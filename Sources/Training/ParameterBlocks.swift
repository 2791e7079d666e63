import Autodiff
import CKernels
import Compute
import Ranks
import Synchronization

/// The parameters of an optimiser, cut into what a thread works on at a time: some neighbouring values of one parameter.
/// Most parameters are small, so all of them are one job.
///
/// Of several ranks each has a share of the blocks, whose moments it keeps and whose weights it moves (ZeRO's first
/// stage: Rajbhandari et al., 2020).
struct ParameterBlocks {
  let parameters: [TrainedParameter]
  let blocks: [(parameter: Int, range: Range<Int>)]
  /// The blocks of each rank.
  let shares: [Range<Int>]
  /// Of each parameter the values that are in this rank's blocks.
  private let held: [Range<Int>]
  private let engine: Engine

  init(_ parameters: [TrainedParameter], engine: Engine) {
    self.parameters = parameters
    self.engine = engine
    let blocks = parameters.enumerated().flatMap { place, trained in
      let count = trained.parameter.tensor.count
      return stride(from: 0, to: count, by: 16384).map { (parameter: place, range: $0..<min(count, $0 + 16384)) }
    }
    self.blocks = blocks
    let ranks = engine.ranks
    let values = blocks.reduce(0) { $0 + $1.range.count }
    var (end, before) = (0, 0)
    shares = (1...ranks.count).map { share in
      let first = end
      while end < blocks.count, before * ranks.count < share * values {
        before += blocks[end].range.count
        end += 1
      }
      return first..<end
    }
    var held = [Range<Int>](repeating: 0..<0, count: parameters.count)
    for block in blocks[shares[ranks.rank]] {
      let known = held[block.parameter]
      held[block.parameter] = (known.isEmpty ? block.range.lowerBound : known.lowerBound)..<block.range.upperBound
    }
    self.held = held
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

  /// Each parameter's gradient; one of zeros where there is none.
  /// - Parameter isOwn: those alone of which this rank has a part, and nil for the others.
  func gradients(ofOwn isOwn: Bool = false) -> [Buffer?] {
    parameters.indices.map { place in
      if isOwn && held[place].isEmpty { return nil }
      let tensor = parameters[place].parameter.tensor
      if tensor.gradient == nil { tensor.setZeroGradient(engine) }
      return tensor.gradient!.values
    }
  }

  func clearGradients() { for trained in parameters { trained.parameter.tensor.clearGradient() } }

  /// Of all ranks.
  func firstNonFiniteGradient() -> String? {
    let gradients = parameters.map { $0.parameter.tensor.gradient?.values }
    let first = Atomic(Int.max)
    withPointers(to: gradients) { pointers in
      run(values: 1) { parameter, range in
        guard let gradient = pointers[parameter] else { return }
        if pmae_all_finite(gradient + range.lowerBound, range.count) == 0 { first.min(parameter, ordering: .relaxed) }
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
    let sums = squares(of: parameters.map { $0.parameter.tensor.gradient?.values }, in: own)
    let longest = shares.map(\.count).max()!
    let all = engine.ranks.gather(sums + [Double](repeating: 0, count: longest - sums.count))
    return added(shares.enumerated().flatMap { all[$0 * longest..<$0 * longest + $1.count] })
  }

  /// The same of the weights.
  func weightSquares() -> [Double] {
    added(squares(of: parameters.map { $0.parameter.tensor.values }, in: blocks.indices))
  }

  private func squares(of values: [Buffer?], in chosen: Range<Int>) -> [Double] {
    [Double](unsafeUninitializedCapacity: chosen.count) { buffer, count in
      let out = buffer
      withPointers(to: values) { pointers in
        engine.measure(.optimizer, values: weightCount) {
          engine.threads.run(chosen.count) { place in
            let (parameter, range) = blocks[chosen.lowerBound + place]
            out[place] =
              pointers[parameter].map { pmae_dot($0 + range.lowerBound, $0 + range.lowerBound, range.count) } ?? 0
          }
        }
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
  func withPointers(to buffers: [Buffer?], _ body: ([UnsafeMutablePointer<Float>?]) -> Void) {
    let places = buffers.indices.filter { buffers[$0] != nil }
    Buffer.withPointers(to: places.compactMap { buffers[$0] }) { held in
      var pointers = [UnsafeMutablePointer<Float>?](repeating: nil, count: buffers.count)
      for (place, pointer) in zip(places, held) { pointers[place] = pointer }
      body(pointers)
    }
  }

  /// Runs `body` for each of this rank's blocks on all threads.
  func run(values: Int, _ body: (_ parameter: Int, _ range: Range<Int>) -> Void) {
    run(values: values, in: own) { body(blocks[$0].parameter, blocks[$0].range) }
  }

  /// Runs `body` for some blocks, by their numbers, on all threads.
  func run(values: Int, in chosen: Range<Int>, _ body: (_ block: Int) -> Void) {
    engine.measure(.optimizer, values: values * weightCount) {
      engine.threads.run(chosen.count) { body(chosen.lowerBound + $0) }
    }
  }
}
