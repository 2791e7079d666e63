import Autodiff
import CKernels
import Compute
import Networks

/// An average of a network's weights over the steps of its training, as timm's `ModelEmaV2` keeps it: a ← d a + (1 − d) w
/// after each step. It starts as a copy of them. A checkpoint holds it as a network of constants under the weights' names.
public final class AveragedWeights: Network {
  public let parameters: [Parameter] = []
  /// The averages, then the network's own constants, in the order of a model's file.
  public let constants: [Constant]
  private let pairs: [(average: Tensor, weight: Tensor)]
  private let decay: Double
  private let engine: Engine

  /// - Parameter decay: d, from 0 to below 1.
  public init(of network: any Network, decay: Double, engine: Engine) {
    precondition((0..<1).contains(decay))
    (self.decay, self.engine) = (decay, engine)
    let averages = network.parameters.map { parameter in
      let weight = parameter.tensor
      let average = Tensor(rows: weight.rows, columns: weight.columns, values: engine.memory.take(weight.count))
      average.withValues { own in weight.withValues { _ = own.update(fromContentsOf: $0) } }
      return Constant(name: parameter.name, shape: parameter.shape, tensor: average)
    }
    constants = averages + network.constants
    pairs = zip(averages, network.parameters).map { ($0.tensor, $1.tensor) }
  }

  /// Takes the step's weights into the average.
  public func follow() {
    engine.measure(.teachers, values: 3 * pairs.reduce(0) { $0 + $1.average.count }) {
      for pair in pairs {
        engine.rows(over: pair.average, pair.weight, count: pair.average.count, cost: 1) { average, weight, range in
          let i = range.lowerBound
          pmae_lerp(average.pointer + i, weight.pointer + i, range.count, Float(1 - decay))
        }
      }
    }
  }
}
