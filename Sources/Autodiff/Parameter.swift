import Compute

/// A named weight of a network.
public final class Parameter {
  /// timm's or MAE's name, without the part's prefix.
  public let name: String
  /// As in PyTorch; `tensor` is its matrix, the first dimension by all the others.
  public let shape: [Int]
  public let tensor: Tensor
  /// Whether weight decay applies: matrices alone, no biases, norms or one-row tokens.
  public var decays: Bool { shape.count > 1 && !name.hasSuffix("_token") }

  /// - Parameter trained: whether gradients are kept for it; a teacher's or a frozen network's weights take none.
  public init(_ name: String, shape: [Int], engine: Engine, trained: Bool) {
    self.name = name
    self.shape = shape
    let count = shape.reduce(1, *)
    // A one-row token [1, 1, D] and a vector [D] are one row; everything else has its outputs as rows.
    let rows = shape.count == 1 || name.hasSuffix("_token") ? 1 : shape[0]
    tensor = Tensor(rows: rows, columns: count / rows, values: engine.memory.take(count), tracksGradient: trained)
    tensor.values.zero()
  }

  public var values: Buffer { tensor.values }
}
