import Autodiff
import Compute
import Networks

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

/// A rule by which weights follow their gradients.
public protocol Optimizer: AnyObject {
  /// Steps taken.
  var steps: Int { get set }

  /// What it remembers of its parameters from step to step: the names begin with what is remembered, and end with the
  /// parameter's. Each rank keeps a part of it, so all ask for the whole at once.
  var moments: [Constant] { get }

  /// Goes on with moments that it gave, whose values were set since.
  func take(_ moments: [Constant])

  /// Makes the gradients those of the whole batch, where it was computed in shards or by several ranks.
  func joinGradients()

  /// The name of the first parameter whose gradient holds a NaN or an infinity, if there is one.
  func firstNonFiniteGradient() -> String?

  /// The name of the first parameter that a step left with a weight or a moment that is not finite; nil if there is
  /// none. The cause is a rate beyond float32, or a gradient whose square is. Only the last checkpoint is then left of
  /// the run.
  var firstNonFiniteParameter: String? { get }

  /// One step with every parameter's gradient, which is then released. No gradient means a gradient of zero.
  func step(rate: Double, _ update: StepUpdate)
}

extension Optimizer {
  public func step(rate: Double) { step(rate: rate, StepUpdate()) }
}

/// A moment of a parameter as a constant under its name, so that it is checked and read like a weight.
func moment(_ prefix: String, of trained: TrainedParameter, _ values: Buffer) -> Constant {
  let tensor = trained.parameter.tensor
  return Constant(
    name: prefix + trained.name, shape: trained.parameter.shape,
    tensor: Tensor(rows: tensor.rows, columns: tensor.columns, values: values))
}
