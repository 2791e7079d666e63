import Autodiff
import CKernels
import Compute
import Foundation
import Synchronization

/// AdamW (Loshchilov & Hutter, 2019), β 0.9 and 0.95 unless said otherwise, ε 1e-8; decay on matrices alone.
public final class AdamW {
  public struct Group {
    public let parameter: Parameter
    public let first: Buffer
    public let second: Buffer
    /// Multiplies the learning rate (layer-wise decay).
    public let rateScale: Double
  }

  public let groups: [Group]
  /// Steps taken.
  public var steps = 0
  private let beta1: Double
  private let beta2: Double
  private let weightDecay: Double
  private let engine: Engine
  /// What a thread works on at a time: some neighbouring values of one parameter.
  private let blocks: [(group: Int, range: Range<Int>)]

  public init(
    _ parameters: [(parameter: Parameter, rateScale: Double)], weightDecay: Double, beta1: Double = 0.9,
    beta2: Double = 0.95, engine: Engine
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.weightDecay = weightDecay
    self.engine = engine
    groups = parameters.map { parameter, scale in
      let group = Group(
        parameter: parameter, first: engine.memory.take(parameter.tensor.count),
        second: engine.memory.take(parameter.tensor.count), rateScale: scale)
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

  /// The place of the first parameter whose gradient holds a NaN or an infinity, if there is one.
  public func firstNonFiniteGradient() -> Int? {
    let gradients = groups.map { $0.parameter.tensor.gradient?.pointer }
    let first = Atomic(Int.max)
    forBlocks(values: 1) { group, range in
      guard let gradient = gradients[group] else { return }
      if pmae_all_finite(gradient + range.lowerBound, range.count) == 0 { first.min(group, ordering: .relaxed) }
    }
    let place = first.load(ordering: .relaxed)
    return place == .max ? nil : place
  }

  /// One step with every parameter's gradient (none is zero), which is then let go of.
  public func step(rate: Double) {
    steps += 1
    let root2 = (1 - pow(beta2, Double(steps))).squareRoot()
    let correction1 = 1 - pow(beta1, Double(steps))
    let values = groups.map { group in
      let tensor = group.parameter.tensor
      if tensor.gradient == nil { tensor.setZeroGradient(engine) }
      let lr = rate * group.rateScale
      return (
        weights: tensor.pointer, gradient: tensor.gradient!.pointer, first: group.first.pointer,
        second: group.second.pointer, keep: Float(group.parameter.decays ? 1 - lr * weightDecay : 1),
        rate: Float(lr / correction1)
      )
    }
    forBlocks(values: 7) { group, range in
      let (i, v) = (range.lowerBound, values[group])
      pmae_adamw(
        v.weights + i, v.gradient + i, v.first + i, v.second + i, range.count, v.keep, Float(1 - beta1),
        Float(1 - beta2), v.rate, Float(1 / root2), 1e-8)
    }
    for group in groups { group.parameter.tensor.clearGradient() }
  }

  /// Runs `body` for each block on all threads, one job for all parameters: most are small.
  private func forBlocks(values: Int, _ body: (_ group: Int, _ range: Range<Int>) -> Void) {
    engine.measure(.optimizer, values: values * weightCount) {
      engine.threads.run(blocks.count) { body(blocks[$0].group, blocks[$0].range) }
    }
  }
}

/// Half a cosine from `start` (step 0) to `end` (step = steps).
public func cosine(_ start: Double, _ end: Double, _ step: Double, _ steps: Double) -> Double {
  end + 0.5 * (start - end) * (1 + cos(.pi * step / steps))
}

/// The learning rate at a point of a run: linear warm-up, then half a cosine to zero, both in epochs.
public func learningRate(peak: Double, epoch: Double, warmup: Double, epochs: Double) -> Double {
  epoch < warmup ? peak * epoch / warmup : cosine(peak, 0, epoch - warmup, max(epochs - warmup, .leastNormalMagnitude))
}
