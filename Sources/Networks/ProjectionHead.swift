import Autodiff
import Compute

/// DINO's head: a 3-layer MLP shared by class and patch tokens, unit length, then cosines to prototypes of unit length, one
/// set for class tokens and one for patches (iBOT).
public struct ProjectionHead: Network {
  public enum Kind { case classToken, patch }

  let layers: [LinearWeights]
  let classPrototypes: Parameter
  let patchPrototypes: Parameter

  public init(_ configuration: HeadConfiguration, width: Int, engine: Engine, trained: Bool) {
    let c = configuration
    // PyTorch's Sequential also counts the GELU between two layers, so the numbers go in steps of two.
    layers = [
      LinearWeights("mlp.0", width, c.hidden, engine: engine, trained: trained),
      LinearWeights("mlp.2", c.hidden, c.hidden, engine: engine, trained: trained),
      LinearWeights("mlp.4", c.hidden, c.bottleneck, engine: engine, trained: trained),
    ]
    let shape = [c.prototypes, c.bottleneck]
    classPrototypes = Parameter("class_prototypes", shape: shape, engine: engine, trained: trained)
    patchPrototypes = Parameter("patch_prototypes", shape: shape, engine: engine, trained: trained)
  }

  /// In the order of PyTorch's `parameters()`: a module's own before its children's.
  public var parameters: [Parameter] { [classPrototypes, patchPrototypes] + layers.flatMap(\.parameters) }

  /// x [R, D] -> cosines to the prototypes [R, C], in [−1, 1].
  public func callAsFunction(_ tape: Tape, _ x: Tensor, _ kind: Kind) -> Tensor {
    let z = tape.normaliseRows(tape.perceptron(x, layers.map(\.tensors)))
    let prototypes = kind == .classToken ? classPrototypes : patchPrototypes
    return tape.linear(z, tape.normaliseRows(prototypes.tensor))
  }
}
