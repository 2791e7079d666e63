import Autodiff
import Compute
import Networks

/// Each feature's mean and deviation over a training set: x' = (x − mean) / √(variance + ε), ε 1e-6 as MAE's batch norm has it.
struct Standardisation {
  private let mean: [Double]
  private let inverse: [Double]

  /// features [n, D]; summed in double precision, from the first row to the last.
  init(of features: Tensor, engine: Engine) {
    let width = features.columns
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
            for c in columns { inverse[c] = 1 / (inverse[c] / count + 1e-6).squareRoot() }
          }
        }
      }
    }
    self.mean = mean
    self.inverse = inverse
  }

  /// Standardises features in place.
  func apply(to features: Tensor, engine: Engine) {
    let (mean, inverse) = (mean.map(Float.init), inverse.map(Float.init))
    let width = features.columns
    mean.withUnsafeBufferPointer { mean in
      inverse.withUnsafeBufferPointer { inverse in
        nonisolated(unsafe) let (mean, inverse) = (mean, inverse)
        engine.rows(over: features, cost: width) { features, rows in
          for r in rows {
            let row = features.row(r)
            for c in 0..<width { row[c] = (row[c] - mean[c]) * inverse[c] }
          }
        }
      }
    }
  }

  /// Changes a layer that was trained on standardised features into one that takes them as they are:
  /// W' = W / deviation, b' = b − W' · mean.
  func fold(into layer: LinearWeights) {
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
