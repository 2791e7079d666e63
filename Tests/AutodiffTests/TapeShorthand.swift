import Autodiff
import Compute

/// Layers reduced to one thing, by identity weights, for tests to put together.
extension Tape {
  /// x + scale · branch: a residual connection alone.
  func addBranch(_ x: Tensor, _ branch: Tensor, rowsOf: [Int32]? = nil, scale: Float = 1) -> Tensor {
    linear(branch, identity(branch.columns), onto: Residual(x, rowsOf: rowsOf, scale: scale))
  }

  /// GELU(x Wᵀ + b).
  func geluLinear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    perceptron(
      x,
      [
        (weight, bias),
        (identity(weight.rows), tensor(engine, 1, weight.rows, [Float](repeating: 0, count: weight.rows))),
      ])
  }

  private func identity(_ size: Int) -> Tensor {
    tensor(engine, size, size, (0..<size * size).map { $0 / size == $0 % size ? 1 : 0 })
  }
}
