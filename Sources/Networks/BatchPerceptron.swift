import Autodiff
import CKernels
import Compute

/// Linear layers without bias, each followed by a batch normalisation, with max(0, ·) between two of them; the last normalisation
/// has no weights. Names and order are those of PyTorch's Sequential.
///
/// The statistics are those of the rows that it is given. Running averages of them are kept for those who use the network
/// later; nothing here reads them.
public struct BatchPerceptron: Network {
  /// A normalisation's weights and running statistics.
  struct Norm {
    let weights: (gamma: Parameter, beta: Parameter)?
    let mean: Tensor
    let variance: Tensor
  }

  let layers: [Parameter]
  let norms: [Norm]
  private let places: [Int]

  /// - Parameter widths: of the input, of each hidden layer, and of the output.
  public init(_ widths: [Int], engine: Engine, trained: Bool) {
    let count = widths.count - 1
    places = (0..<count).map { 3 * $0 }
    layers = (0..<count).map {
      Parameter("\(3 * $0).weight", shape: [widths[$0 + 1], widths[$0]], engine: engine, trained: trained)
    }
    norms = (0..<count).map { i in
      let width = widths[i + 1]
      func vector(_ name: String) -> Parameter {
        Parameter("\(3 * i + 1).\(name)", shape: [width], engine: engine, trained: trained)
      }
      func row(_ value: Float) -> Tensor {
        let row = Tensor(rows: 1, columns: width, values: engine.memory.take(width))
        row.withValues { $0.update(repeating: value) }
        return row
      }
      var weights: (gamma: Parameter, beta: Parameter)?
      if i < count - 1 {
        weights = (vector("weight"), vector("bias"))
        weights?.gamma.values.withValues { $0.update(repeating: 1) }
      }
      return Norm(weights: weights, mean: row(0), variance: row(1))
    }
  }

  public var parameters: [Parameter] {
    zip(layers, norms).flatMap { layer, norm in [layer] + (norm.weights.map { [$0.gamma, $0.beta] } ?? []) }
  }

  public var constants: [Constant] {
    zip(places, norms).flatMap { place, norm in
      [("running_mean", norm.mean), ("running_var", norm.variance)].map { name, tensor in
        Constant(name: "\(place + 1).\(name)", shape: [tensor.columns], tensor: tensor)
      }
    }
  }

  /// x [R, I], R at least 2 -> [R, O]. Moves the running statistics a tenth of the way to those of these rows.
  public func callAsFunction(_ tape: Tape, _ x: Tensor) -> Tensor {
    var x = x
    for (place, (layer, norm)) in zip(layers, norms).enumerated() {
      let weights = norm.weights.map { (gamma: $0.gamma.tensor, beta: $0.beta.tensor) }
      let normed = tape.batchNorm(
        tape.linear(x, layer.tensor), weights, rectified: place < layers.count - 1)
      move(norm, towards: normed.statistics)
      x = normed.y
    }
    return x
  }

  /// PyTorch's momentum of 0.1, and its unbiased variance.
  private func move(_ norm: Norm, towards found: BatchStatistics) {
    let unbiased = Float(Double(found.rows) / Double(found.rows - 1))
    withMatrices(norm.mean, norm.variance, found.values) { mean, variance, found in
      pmae_axpby(0.1, found.row(0), 0.9, mean.pointer, mean.columns)
      pmae_axpby(0.1 * unbiased, found.row(1), 0.9, variance.pointer, variance.columns)
    }
  }
}
