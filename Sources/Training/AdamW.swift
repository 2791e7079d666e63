import Autodiff
import CKernels
import Compute
import Foundation
import Networks
import Synchronization

/// AdamW (Loshchilov & Hutter, 2019), β 0.9 and 0.95 unless said otherwise, ε 1e-8; decay on matrices alone. Of several ranks
/// each moves its share of the weights, and keeps the moments of these.
public final class AdamW: Optimizer {
  public var steps = 0
  public private(set) var firstNonFiniteParameter: String?
  private let beta1: Double
  private let beta2: Double
  private let weightDecay: Double
  private let blocks: ParameterBlocks
  private let join: GradientJoin?
  /// Of each parameter.
  private let first: [Buffer]
  private let second: [Buffer]

  public init(
    _ parameters: [TrainedParameter], weightDecay: Double, beta1: Double = 0.9,
    beta2: Double = 0.95, engine: Engine
  ) {
    (self.beta1, self.beta2, self.weightDecay) = (beta1, beta2, weightDecay)
    blocks = ParameterBlocks(parameters, engine: engine)
    join = engine.ranks.shards > 1 ? GradientJoin(blocks, engine: engine) : nil
    first = blocks.moments()
    second = blocks.moments()
  }

  public var moments: [Constant] {
    let first = join?.flat.whole(self.first) ?? self.first
    let second = join?.flat.whole(self.second) ?? self.second
    return blocks.parameters.indices.flatMap { place in
      let trained = blocks.parameters[place]
      return [moment("first_moment.", of: trained, first[place]), moment("second_moment.", of: trained, second[place])]
    }
  }

  public func take(_ moments: [Constant]) {
    guard let join else { return }
    for (place, own) in [first, second].enumerated() {
      join.flat.take(stride(from: place, to: moments.count, by: 2).map { moments[$0].tensor.values }, into: own)
    }
  }

  public func joinGradients() { join?.finish() }

  public func firstNonFiniteGradient() -> String? { blocks.firstNonFiniteGradient() }

  public func step(rate: Double, _ update: StepUpdate) {
    steps += 1
    let decay = update.weightDecay ?? weightDecay
    // Nil for one that is frozen.
    let rates = blocks.parameters.map { trained -> (keep: Float, rate: Float, inverseRoot2: Float)? in
      let own = Double(steps - (update.frozen[trained.name] ?? 0))
      if own < 1 { return nil }
      let root2 = (1 - pow(beta2, own)).squareRoot()
      let correction1 = 1 - pow(beta1, own)
      let lr = rate * trained.rateScale
      return (Float(trained.decays ? 1 - lr * decay : 1), Float(lr / correction1), Float(1 / root2))
    }
    let factors = update.clip?.factors(blocks.gradientSquares())
    blocks.fillGradients()
    // Three for each parameter.
    let held = blocks.parameters.indices.flatMap { place in
      [blocks.parameters[place].parameter.tensor.values, first[place], second[place]]
    }
    let broken = Atomic(Int.max)
    blocks.withGradients { gradients in
      Buffer.withPointers(to: held) { pointers in
        blocks.move(values: 7, sharing: join?.flat) { block in
          let (place, range) = blocks.blocks[block]
          guard let v = rates[place], let gradient = gradients(block) else { return }
          let kept = blocks.place(of: range.lowerBound, in: place)
          let weights = pointers[3 * place] + range.lowerBound
          let (first, second) = (pointers[3 * place + 1] + kept, pointers[3 * place + 2] + kept)
          if let factors, factors[place] < 1 {
            withUnsafePointer(to: factors[place]) { pmae_scale_rows(gradient, 1, range.count, range.count, $0) }
          }
          pmae_adamw(
            weights, gradient, first, second, range.count, v.keep, Float(1 - beta1), Float(1 - beta2),
            v.rate, v.inverseRoot2, 1e-8)
          // While they are in cache, this is next to nothing.
          for values in [weights, first, second] where pmae_all_finite(values, range.count) == 0 {
            broken.min(place, ordering: .relaxed)
          }
        }
      }
    }
    let name = blocks.name(ofFirst: broken.load(ordering: .relaxed))
    firstNonFiniteParameter = firstNonFiniteParameter ?? name
    blocks.clearGradients()
  }
}
