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
  }

  /// Weights that it trains.
  public var weightCount: Int { groups.reduce(0) { $0 + $1.parameter.tensor.count } }

  /// The place of the first parameter whose gradient holds a NaN or an infinity, if there is one.
  public func firstNonFiniteGradient() -> Int? {
    engine.measure(.optimizer, values: weightCount) {
      groups.firstIndex { group in
        let tensor = group.parameter.tensor
        return tensor.gradient.map { !isFinite($0, count: tensor.count) } ?? false
      }
    }
  }

  /// The place of the first parameter that the last step left with a weight or a moment that is not finite, if there is one:
  /// a rate that is beyond float32, or a gradient whose square is. The run is lost then, but for its last checkpoint.
  public private(set) var firstNonFiniteParameter: Int?

  private func isFinite(_ gradient: Tensor, count: Int) -> Bool {
    let isFinite = Atomic(true)
    engine.rows(count, cost: 1) { range in
      if pmae_all_finite(gradient.pointer + range.lowerBound, range.count) == 0 {
        isFinite.store(false, ordering: .relaxed)
      }
    }
    return isFinite.load(ordering: .relaxed)
  }

  /// One step with every parameter's gradient (none is zero), which is then let go of.
  public func step(rate: Double) {
    steps += 1
    let root2 = (1 - pow(beta2, Double(steps))).squareRoot()
    let correction1 = 1 - pow(beta1, Double(steps))
    for (place, group) in groups.enumerated() {
      let tensor = group.parameter.tensor
      let lr = rate * group.rateScale
      let keep = group.parameter.decays ? 1 - lr * weightDecay : 1
      if tensor.gradient == nil {
        tensor.setZeroGradient(engine)
      }
      guard let gradient = tensor.gradient else { continue }
      let isFinite = Atomic(true)
      engine.rows(tensor.count, cost: 1, as: .optimizer, values: 7 * tensor.count) { range in
        let i = range.lowerBound
        pmae_adamw(
          tensor.pointer + i, gradient.pointer + i, group.first.pointer + i, group.second.pointer + i, range.count,
          Float(keep), Float(1 - beta1), Float(1 - beta2), Float(lr / correction1), Float(1 / root2), 1e-8)
        // While they are in cache, this is next to nothing.
        for values in [tensor.pointer, group.first.pointer, group.second.pointer]
        where pmae_all_finite(values + i, range.count) == 0 {
          isFinite.store(false, ordering: .relaxed)
        }
      }
      if !isFinite.load(ordering: .relaxed), firstNonFiniteParameter == nil { firstNonFiniteParameter = place }
      tensor.clearGradient()
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
