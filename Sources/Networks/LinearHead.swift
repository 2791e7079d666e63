import Autodiff
import Compute

/// A linear layer on an encoder's tokens: `head.weight` [O, D] and `head.bias` [O].
public struct LinearHead: Network {
  let layer: LinearWeights
  public var parameters: [Parameter] { layer.parameters }

  public init(width: Int, outputs: Int, engine: Engine, trained: Bool) {
    layer = LinearWeights("head", width, outputs, engine: engine, trained: trained)
  }

  /// x [R, D] -> [R, O].
  public func callAsFunction(_ tape: Tape, _ x: Tensor) -> Tensor { layer(tape, x) }
}
