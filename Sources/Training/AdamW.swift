import Autodiff
import CKernels
import Compute
import Foundation
import Networks
import Synchronization

/// AdamW (Loshchilov & Hutter, 2019), β 0.9 and 0.95 unless said otherwise, ε 1e-8; decay on matrices alone.
public final class AdamW: Optimizer {
  public var steps = 0
  public private(set) var firstNonFiniteParameter: String?
  private let beta1: Double
  private let beta2: Double
  private let weightDecay: Double
  private let blocks: ParameterBlocks
  /// Of each parameter.
  private let first: [Buffer]
  private let second: [Buffer]

  public init(
    _ parameters: [TrainedParameter], weightDecay: Double, beta1: Double = 0.9,
    beta2: Double = 0.95, engine: Engine
  ) {
    (self.beta1, self.beta2, self.weightDecay) = (beta1, beta2, weightDecay)
    blocks = ParameterBlocks(parameters, engine: engine)
    first = blocks.moments()
    second = blocks.moments()
  }

  public var moments: [Constant] {
    blocks.parameters.indices.flatMap { place in
      let trained = blocks.parameters[place]
      return [moment("first_moment.", of: trained, first[place]), moment("second_moment.", of: trained, second[place])]
    }
  }

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
    let gradients = blocks.gradients()
    // Four for each parameter.
    let held = blocks.parameters.indices.flatMap { place in
      [blocks.parameters[place].parameter.tensor.values, gradients[place], first[place], second[place]]
    }
    let broken = Atomic(Int.max)
    Buffer.withPointers(to: held) { pointers in
      blocks.run(values: 7) { place, range in
        guard let v = rates[place] else { return }
        let i = range.lowerBound
        let (weights, gradient) = (pointers[4 * place], pointers[4 * place + 1])
        let (first, second) = (pointers[4 * place + 2], pointers[4 * place + 3])
        if let factors, factors[place] < 1 {
          withUnsafePointer(to: factors[place]) { pmae_scale_rows(gradient + i, 1, range.count, range.count, $0) }
        }
        pmae_adamw(
          weights + i, gradient + i, first + i, second + i, range.count, v.keep, Float(1 - beta1), Float(1 - beta2),
          v.rate, v.inverseRoot2, 1e-8)
        // While they are in cache, this is next to nothing.
        for values in [weights, first, second] where pmae_all_finite(values + i, range.count) == 0 {
          broken.min(place, ordering: .relaxed)
        }
      }
    }
    let place = broken.load(ordering: .relaxed)
    if place < .max, firstNonFiniteParameter == nil { firstNonFiniteParameter = blocks.parameters[place].name }
    blocks.clearGradients()
  }
}
