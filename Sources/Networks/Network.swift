import Autodiff
import Compute

/// A part of a model: its weights in PyTorch's order, and constants that are stored beside them.
public protocol Network {
  var parameters: [Parameter] { get }
  /// Tables that are computed, never trained, but named in a state dictionary: `pos_embed`.
  var constants: [Constant] { get }
}

public struct Constant {
  public let name: String
  public let shape: [Int]
  public let tensor: Tensor

  public init(name: String, shape: [Int], tensor: Tensor) {
    self.name = name
    self.shape = shape
    self.tensor = tensor
  }
}

extension Network {
  public var constants: [Constant] { [] }

  /// The number of trained and untrained weights.
  public var weightCount: Int { parameters.reduce(0) { $0 + $1.tensor.count } }

  /// Takes the values of another network of the same shape.
  public func copy(from other: some Network) {
    for (mine, theirs) in zip(parameters, other.parameters) {
      precondition(mine.shape == theirs.shape)
      mine.tensor.withValues { mine in theirs.tensor.withValues { _ = mine.update(fromContentsOf: $0) } }
    }
  }
}

/// A fully connected layer's weight [out, in] and bias [out].
public struct LinearWeights {
  public let weight: Parameter
  public let bias: Parameter

  init(_ name: String, _ inputs: Int, _ outputs: Int, engine: Engine, trained: Bool) {
    weight = Parameter("\(name).weight", shape: [outputs, inputs], engine: engine, trained: trained)
    bias = Parameter("\(name).bias", shape: [outputs], engine: engine, trained: trained)
  }

  var parameters: [Parameter] { [weight, bias] }

  var tensors: (weight: Tensor, bias: Tensor) { (weight.tensor, bias.tensor) }

  package func callAsFunction(
    _ tape: Tape, _ x: Tensor, onto residual: Residual? = nil, forProducts: Bool = false
  ) -> Tensor {
    tape.linear(x, weight.tensor, bias.tensor, onto: residual, forProducts: forProducts)
  }
}

/// A layer normalisation's scale and shift, [D] each.
public struct NormWeights {
  public let weight: Parameter
  public let bias: Parameter
  let epsilon: Float

  init(_ name: String, _ width: Int, epsilon: Double = 1e-6, engine: Engine, trained: Bool) {
    weight = Parameter("\(name).weight", shape: [width], engine: engine, trained: trained)
    bias = Parameter("\(name).bias", shape: [width], engine: engine, trained: trained)
    self.epsilon = Float(epsilon)
    weight.values.withValues { $0.update(repeating: 1) }
  }

  var parameters: [Parameter] { [weight, bias] }

  /// - Parameter forProducts: whether only matrix products read the result.
  package func callAsFunction(_ tape: Tape, _ x: Tensor, rowsOf: [Int32]? = nil, forProducts: Bool = false) -> Tensor {
    tape.layerNorm(x, weight.tensor, bias.tensor, rowsOf: rowsOf, epsilon: epsilon, forProducts: forProducts)
  }
}
