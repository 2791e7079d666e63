import Autodiff
import Compute
import Networks

/// Each feature's mean and deviation over a training set, or as a batch norm follows them from batch to batch:
/// x' = (x − mean) / √(variance + ε), with MAE's ε of 1e-6 for batch norm. It is a network without weights, so that a
/// probe's checkpoint holds it.
final class Standardisation: Network {
  /// One row that says whether the statistics are known (1), not (0), or running ones (2); three rows of means; and three
  /// of 1 / deviation, or the running variance. Each double is the sum of three floats: the nearest float, then two floats that are each the nearest to
  /// what remains.
  private let table: Tensor
  private let width: Int

  init(width: Int, engine: Engine) {
    self.width = width
    table = Tensor(rows: 7, columns: width, values: engine.memory.take(7 * width))
    table.values.zero()
  }

  var parameters: [Parameter] { [] }
  var constants: [Constant] { [Constant(name: "table", shape: [7, width], tensor: table)] }

  private var isKnown: Bool { table[0, 0] != 0 }
  private var mean: [Double] { values(1) }
  private var inverse: [Double] { isRunning ? values(4).map { 1 / ($0 + Self.epsilon).squareRoot() } : values(4) }
  private var isRunning: Bool { table[0, 0] == 2 }
  /// ε.
  static let epsilon = 1e-6

  private func values(_ row: Int) -> [Double] {
    (0..<width).map { i in (row..<row + 3).reduce(0.0) { $0 + Double(table[$1, i]) } }
  }

  private func set(_ row: Int, _ values: [Double]) {
    for (i, value) in values.enumerated() {
      var rest = value
      for part in row..<row + 3 {
        table[part, i] = Float(rest)
        rest -= Double(Float(rest))
      }
    }
  }

  /// Takes the statistics of features [n, D], unless they are known; summed in double precision, from the first row to the last.
  func measure(_ features: Tensor, engine: Engine) {
    if isKnown { return }
    let count = Double(features.rows)
    var mean = [Double](repeating: 0, count: width)
    var inverse = [Double](repeating: 0, count: width)
    mean.withUnsafeMutableBufferPointer { mean in
      inverse.withUnsafeMutableBufferPointer { inverse in
        nonisolated(unsafe) let (mean, inverse) = (mean, inverse)
        let strip = 16
        features.withMatrix { features in
          engine.threads.run((width + strip - 1) / strip) { task in
            let columns = task * strip..<min(width, (task + 1) * strip)
            for r in 0..<features.rows {
              let row = features.row(r)
              for c in columns { mean[c] += Double(row[c]) }
            }
            for c in columns { mean[c] /= count }
            for r in 0..<features.rows {
              let row = features.row(r)
              for c in columns {
                let d = Double(row[c]) - mean[c]
                inverse[c] += d * d
              }
            }
            for c in columns { inverse[c] = 1 / (inverse[c] / count + Self.epsilon).squareRoot() }
          }
        }
      }
    }
    set(1, mean)
    set(4, inverse)
    table[0, 0] = 1
  }

  /// Takes in what a batch norm found, as PyTorch's does: a tenth of the batch's mean and unbiased variance, from 0 and 1 on.
  func follow(_ statistics: BatchStatistics) {
    let unbiased = Double(statistics.rows) / Double(statistics.rows - 1)
    let (means, variances) =
      isRunning ? (mean, values(4)) : (Array(repeating: 0, count: width), Array(repeating: 1, count: width))
    set(1, means.indices.map { 0.9 * means[$0] + 0.1 * Double(statistics.values[0, $0]) })
    set(4, means.indices.map { 0.9 * variances[$0] + 0.1 * unbiased * Double(statistics.values[1, $0]) })
    table[0, 0] = 2
  }

  /// Standardises features in place.
  func apply(to features: Tensor, engine: Engine) {
    let (mean, inverse) = (mean.map(Float.init), inverse.map(Float.init))
    mean.withUnsafeBufferPointer { mean in
      inverse.withUnsafeBufferPointer { inverse in
        nonisolated(unsafe) let (mean, inverse) = (mean, inverse)
        engine.rows(over: features, cost: width) { features, rows in
          for r in rows {
            let row = features.row(r)
            for c in 0..<features.columns { row[c] = (row[c] - mean[c]) * inverse[c] }
          }
        }
      }
    }
  }

  /// Changes a layer that was trained on standardised features into one that takes them as they are:
  /// W' = W / deviation, b' = b − W' · mean.
  func fold(into layer: LinearWeights) {
    if !isKnown { return }
    let (mean, inverse) = (mean, inverse)
    let weight = layer.weight.tensor
    for c in 0..<weight.rows {
      var shift = 0.0
      for d in 0..<weight.columns {
        let value = Double(weight[c, d]) * inverse[d]
        weight[c, d] = Float(value)
        shift += value * mean[d]
      }
      layer.bias.values[c] = Float(Double(layer.bias.values[c]) - shift)
    }
  }
}
