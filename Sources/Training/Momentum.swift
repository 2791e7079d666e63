import Autodiff
import CKernels
import Compute
import Networks
import Synchronization

/// Gradient descent with momentum as PyTorch's SGD: m ← μ m + q (g + decay · w), w ← w − rate · m, where q is 1.
///
/// With a trust it is LARS (You, Gitman & Ginsburg, 2017): q = trust · |w| / (|g| + decay · |w|) for each matrix, and 1 for
/// vectors and where a length is zero. MAE's linear probe uses it with a trust of 0.001 and no decay. Of several ranks each
/// moves its share of the weights, and keeps the momenta of these.
public final class Momentum: Optimizer {
  public var steps = 0
  public private(set) var firstNonFiniteParameter: String?
  private let momentum: Double
  private let weightDecay: Double
  private let trust: Double?
  private let blocks: ParameterBlocks
  private let join: GradientJoin?
  private let moved: [Buffer]

  /// - Parameter trust: LARS's; nil for plain momentum.
  public init(
    _ parameters: [TrainedParameter], weightDecay: Double, momentum: Double = 0.9, trust: Double? = nil, engine: Engine
  ) {
    (self.momentum, self.weightDecay, self.trust) = (momentum, weightDecay, trust)
    blocks = ParameterBlocks(parameters, engine: engine)
    join = engine.ranks.shards > 1 ? GradientJoin(blocks, engine: engine) : nil
    moved = blocks.moments()
  }

  public var moments: [Constant] {
    zip(blocks.parameters, join?.flat.whole(moved) ?? moved).map { moment("momentum.", of: $0, $1) }
  }

  public func take(_ moments: [Constant]) { join?.flat.take(moments.map(\.tensor.values), into: moved) }

  public func joinGradients() { join?.finish() }

  public func firstNonFiniteGradient() -> String? { blocks.firstNonFiniteGradient() }

  public func step(rate: Double, _ update: StepUpdate) {
    steps += 1
    let parameters = blocks.parameters
    let decays = parameters.map { $0.decays ? update.weightDecay ?? weightDecay : 0 }
    let squares = update.clip == nil && trust == nil ? nil : blocks.gradientSquares()
    let clips = squares.flatMap { update.clip?.factors($0) }
    let trusts = squares.map { ratios(gradientSquares: $0, clips: clips, decays: decays) }
    blocks.fillGradients()
    // Two for each parameter.
    let held = parameters.indices.flatMap { [parameters[$0].parameter.tensor.values, moved[$0]] }
    let broken = Atomic(Int.max)
    blocks.withGradients { gradients in
      Buffer.withPointers(to: held) { pointers in
        blocks.move(values: 5, sharing: join?.flat) { block in
          let (place, range) = blocks.blocks[block]
          guard steps > update.frozen[parameters[place].name] ?? 0, let gradient = gradients(block) else { return }
          let weights = pointers[2 * place] + range.lowerBound
          let moved = pointers[2 * place + 1] + blocks.place(of: range.lowerBound, in: place)
          let clip = clips?[place] ?? 1
          let trust = trusts?[place] ?? 1
          pmae_momentum(
            weights, gradient, moved, range.count, Float(trust) * clip, Float(trust * decays[place]),
            Float(momentum), Float(rate * parameters[place].rateScale))
          for values in [weights, moved] where pmae_all_finite(values, range.count) == 0 {
            broken.min(place, ordering: .relaxed)
          }
        }
      }
    }
    let name = blocks.name(ofFirst: broken.load(ordering: .relaxed))
    firstNonFiniteParameter = firstNonFiniteParameter ?? name
    blocks.clearGradients()
  }

  /// q of each parameter.
  private func ratios(gradientSquares: [Double], clips: [Float]?, decays: [Double]) -> [Double] {
    guard let trust else { return gradientSquares.map { _ in 1 } }
    return zip(gradientSquares, blocks.weightSquares()).enumerated().map { place, squares in
      let gradient = squares.0.squareRoot() * Double(clips?[place] ?? 1)
      let weight = squares.1.squareRoot()
      let isVector = blocks.parameters[place].parameter.shape.count < 2
      return isVector || gradient == 0 || weight == 0 ? 1 : trust * weight / (gradient + decays[place] * weight)
    }
  }
}
