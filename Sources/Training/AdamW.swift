import Autodiff
import CKernels
import Compute
import Foundation
import Synchronization

/// A parameter that an optimiser trains.
public struct TrainedParameter {
  /// As it is in a checkpoint, its part's prefix included.
  public let name: String
  public let parameter: Parameter
  /// Multiplies the learning rate (layer-wise decay).
  public let rateScale: Double
  /// Whether weight decay applies.
  public var decays: Bool

  /// - Parameter decays: nil for what the parameter says of itself.
  public init(_ name: String, _ parameter: Parameter, rateScale: Double = 1, decays: Bool? = nil) {
    (self.name, self.parameter, self.rateScale) = (name, parameter, rateScale)
    self.decays = decays ?? parameter.decays
  }
}

extension [Part] {
  /// The parameters that take gradients, under their names in a checkpoint.
  public var trained: [TrainedParameter] {
    flatMap { part in part.network.parameters.map { TrainedParameter(part.prefix + $0.name, $0) } }
      .filter { $0.parameter.tensor.tracksGradient }
  }
}

/// AdamW (Loshchilov & Hutter, 2019), β 0.9 and 0.95 unless said otherwise, ε 1e-8; decay on matrices alone.
public final class AdamW {
  public struct Group {
    /// The parameter's in a checkpoint.
    public let name: String
    public let parameter: Parameter
    public let first: Buffer
    public let second: Buffer
    /// Multiplies the learning rate (layer-wise decay).
    public let rateScale: Double
    /// Whether weight decay applies.
    public let decays: Bool
  }

  public let groups: [Group]
  /// Steps taken.
  public var steps = 0
  private let beta1: Double
  private let beta2: Double
  private let weightDecay: Double
  private let engine: Engine
  /// What a thread works on at a time: some neighbouring values of one parameter.
  let blocks: [(group: Int, range: Range<Int>)]

  public init(
    _ parameters: [TrainedParameter], weightDecay: Double, beta1: Double = 0.9,
    beta2: Double = 0.95, engine: Engine
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    self.engine = engine
    groups = parameters.map { trained in
      let count = trained.parameter.tensor.count
      let group = Group(
        name: trained.name, parameter: trained.parameter, first: engine.memory.take(count),
        second: engine.memory.take(count), rateScale: trained.rateScale, decays: trained.decays)
      group.first.zero()
      group.second.zero()
      return group
    }
    blocks = groups.enumerated().flatMap { place, group in
      let count = group.parameter.tensor.count
      return stride(from: 0, to: count, by: 16384).map { (place, $0..<min(count, $0 + 16384)) }
    }
  }

  /// Weights that it trains.
  public var weightCount: Int { groups.reduce(0) { $0 + $1.parameter.tensor.count } }

  /// The name of the first parameter whose gradient holds a NaN or an infinity, if there is one.
  public func firstNonFiniteGradient() -> String? {
    let held = groups.enumerated().compactMap { place, group in
      group.parameter.tensor.gradient.map { (place, $0.values) }
    }
    let first = Atomic(Int.max)
    Buffer.withPointers(to: held.map(\.1)) { pointers in
      let gradients = Dictionary(uniqueKeysWithValues: zip(held.map(\.0), pointers))
      forBlocks(values: 1) { group, range in
        guard let gradient = gradients[group] else { return }
        if pmae_all_finite(gradient + range.lowerBound, range.count) == 0 { first.min(group, ordering: .relaxed) }
      }
    }
    let place = first.load(ordering: .relaxed)
    return place == .max ? nil : groups[place].name
  }

  /// The name of the first parameter that the last step left with a weight or a moment that is not finite; nil if there
  /// is none. The cause is a rate beyond float32, or a gradient whose square is. Only the last checkpoint is then left
  /// of the run.
  public private(set) var firstNonFiniteParameter: String?

  /// One step with every parameter's gradient, which is then released. No gradient means a gradient of zero.
  public func step(rate: Double, _ update: StepUpdate = StepUpdate()) {
    steps += 1
    let decay = update.weightDecay ?? weightDecay
    // Nil for one that is frozen.
    let rates = groups.map { group -> (keep: Float, rate: Float, inverseRoot2: Float)? in
      let own = Double(steps - (update.frozen[group.name] ?? 0))
      if own < 1 { return nil }
      let root2 = (1 - pow(beta2, own)).squareRoot()
      let correction1 = 1 - pow(beta1, own)
      let lr = rate * group.rateScale
      return (Float(group.decays ? 1 - lr * decay : 1), Float(lr / correction1), Float(1 / root2))
    }
    let factors = update.clip?.factors(gradientSquares())
    // Four for each group.
    let held = groups.flatMap { group in
      let tensor = group.parameter.tensor
      if tensor.gradient == nil { tensor.setZeroGradient(engine) }
      return [tensor.values, tensor.gradient!.values, group.first, group.second]
    }
    let broken = Atomic(Int.max)
    Buffer.withPointers(to: held) { pointers in
      forBlocks(values: 7) { group, range in
        guard let v = rates[group] else { return }
        let i = range.lowerBound
        let (weights, gradient) = (pointers[4 * group], pointers[4 * group + 1])
        let (first, second) = (pointers[4 * group + 2], pointers[4 * group + 3])
        if let factors, factors[group] < 1 {
          withUnsafePointer(to: factors[group]) { pmae_scale_rows(gradient + i, 1, range.count, range.count, $0) }
        }
        pmae_adamw(
          weights + i, gradient + i, first + i, second + i, range.count, v.keep, Float(1 - beta1), Float(1 - beta2),
          v.rate, v.inverseRoot2, 1e-8)
        // While they are in cache, this is next to nothing.
        for values in [weights, first, second] where pmae_all_finite(values + i, range.count) == 0 {
          broken.min(group, ordering: .relaxed)
        }
      }
    }
    let place = broken.load(ordering: .relaxed)
    if place < .max, firstNonFiniteParameter == nil { firstNonFiniteParameter = groups[place].name }
    for group in groups { group.parameter.tensor.clearGradient() }
  }

  /// A number for each block of gradients, 0 where there is none.
  func blockValues(_ body: (_ gradient: UnsafePointer<Float>, _ count: Int) -> Double) -> [Double] {
    let held = groups.enumerated().compactMap { place, group in
      group.parameter.tensor.gradient.map { (place, $0.values) }
    }
    return [Double](unsafeUninitializedCapacity: blocks.count) { buffer, count in
      let out = buffer
      out.initialize(repeating: 0)
      Buffer.withPointers(to: held.map(\.1)) { pointers in
        let gradients = Dictionary(uniqueKeysWithValues: zip(held.map(\.0), pointers))
        engine.measure(.optimizer, values: weightCount) {
          engine.threads.run(blocks.count) { block in
            let (group, range) = blocks[block]
            if let gradient = gradients[group] { out[block] = body(gradient + range.lowerBound, range.count) }
          }
        }
      }
      count = blocks.count
    }
  }

  /// Runs `body` for each block on all threads, one job for all parameters: most are small.
  private func forBlocks(values: Int, _ body: (_ group: Int, _ range: Range<Int>) -> Void) {
    engine.measure(.optimizer, values: values * weightCount) {
      engine.threads.run(blocks.count) { body(blocks[$0].group, blocks[$0].range) }
    }
  }
}
