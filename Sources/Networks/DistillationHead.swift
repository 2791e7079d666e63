import Autodiff
import Compute

/// DINO's head with one set of prototypes: a 3-layer MLP, unit length, then cosines to prototypes of unit length.
public struct DistillationHead: Network {
  let layers: [LinearWeights]
  let prototypes: Parameter

  public init(
    width: Int, hidden: Int, bottleneck: Int, prototypes count: Int, engine: Engine, trained: Bool
  ) {
    // PyTorch's Sequential also counts the GELU between two layers, so the numbers go in steps of two.
    layers = [
      LinearWeights("mlp.0", width, hidden, engine: engine, trained: trained),
      LinearWeights("mlp.2", hidden, hidden, engine: engine, trained: trained),
      LinearWeights("mlp.4", hidden, bottleneck, engine: engine, trained: trained),
    ]
    prototypes = Parameter("class_prototypes", shape: [count, bottleneck], engine: engine, trained: trained)
  }

  /// In the order of PyTorch's `parameters()`: a module's own before its children's.
  public var parameters: [Parameter] { [prototypes] + layers.flatMap(\.parameters) }

  /// x [R, D] -> unit vectors [R, Z].
  public func embedding(_ tape: Tape, _ x: Tensor) -> Tensor {
    tape.normaliseRows(tape.perceptron(x, layers.map(\.tensors)))
  }

  /// Unit vectors [R, Z] -> cosines to the prototypes [R, C], in [−1, 1].
  public func cosines(_ tape: Tape, _ z: Tensor) -> Tensor { tape.linear(z, tape.normaliseRows(prototypes.tensor)) }

  /// x [R, D] -> cosines to the prototypes [R, C].
  public func callAsFunction(_ tape: Tape, _ x: Tensor) -> Tensor { cosines(tape, embedding(tape, x)) }
}
