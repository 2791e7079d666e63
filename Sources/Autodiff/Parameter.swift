import Compute

/// A named weight of a network.
public final class Parameter {
  /// timm's or MAE's name, without the part's prefix.
  public let name: String
  /// As in PyTorch; `tensor` is its matrix, the first dimension by all the others.
  public let shape: [Int]
  public let tensor: Tensor
  /// Whether weight decay applies: matrices alone, no biases, norms, tokens or positions.
  public var decays: Bool { shape.count > 1 && !isTokens }
  /// A token [1, 1, D], or a token for each position [1, 1 + N, D].
  public var isTokens: Bool { shape.count == 3 && shape[0] == 1 }

  /// - Parameter trained: whether gradients are kept for it; a teacher's or a frozen network's weights take none.
  public init(_ name: String, shape: [Int], engine: Engine, trained: Bool) {
    self.name = name
    self.shape = shape
    let count = shape.reduce(1, *)
    // A vector [D] is one row, tokens [1, T, D] are T; everything else has its outputs as rows.
    let rows = shape.count == 1 ? 1 : shape.count == 3 && shape[0] == 1 ? shape[1] : shape[0]
    tensor = Tensor(rows: rows, columns: count / rows, values: engine.memory.take(count), tracksGradient: trained)
    tensor.values.zero()
  }

  public var values: Buffer { tensor.values }
}
