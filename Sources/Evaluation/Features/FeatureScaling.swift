import Compute
import Networks
import Training

/// Each feature's mean and deviation over the images that a measure learns from, and what they make of any features:
/// (x − mean) / deviation. scikit-learn's `StandardScaler`.
///
/// A feature that is the same everywhere has its mean taken off, and is not divided.
public struct FeatureScaling: Sendable {
  /// [D].
  public let mean: [Double]
  /// [D]; 1 for a feature that is the same everywhere.
  public let deviation: [Double]

  /// - Parameter bank: at least one row. Summed in double precision, from the first row to the last, whatever the threads.
  public init(_ bank: Features, engine: Engine) {
    let (width, count) = (bank.width, Double(bank.count))
    precondition(bank.count > 0)
    var mean = [Double](repeating: 0, count: width)
    var deviation = [Double](repeating: 0, count: width)
    let strip = 16
    bank.values.withUnsafeBufferPointer { values in
      mean.withUnsafeMutableBufferPointer { mean in
        deviation.withUnsafeMutableBufferPointer { deviation in
          nonisolated(unsafe) let (values, mean, deviation) = (values, mean, deviation)
          engine.threads.run((width + strip - 1) / strip) { task in
            let columns = task * strip..<min(width, (task + 1) * strip)
            for row in stride(from: 0, to: values.count, by: width) {
              for c in columns { mean[c] += Double(values[row + c]) }
            }
            for c in columns { mean[c] /= count }
            for row in stride(from: 0, to: values.count, by: width) {
              for c in columns {
                let d = Double(values[row + c]) - mean[c]
                deviation[c] += d * d
              }
            }
            for c in columns {
              let variance = deviation[c] / count
              // What rounding leaves of no variance at all.
              let nothing = count * .ulpOfOne * variance + (count * mean[c] * .ulpOfOne) * (count * mean[c] * .ulpOfOne)
              deviation[c] = variance <= nothing ? 1 : variance.squareRoot()
            }
          }
        }
      }
    }
    (self.mean, self.deviation) = (mean, deviation)
  }

  /// Scales features in place.
  public func apply(to features: inout Features, engine: Engine) {
    let width = features.width
    precondition(width == mean.count)
    let rows = features.count
    mean.withUnsafeBufferPointer { mean in
      deviation.withUnsafeBufferPointer { deviation in
        features.update { values in
          nonisolated(unsafe) let (values, mean, deviation) = (values, mean, deviation)
          engine.rows(rows, cost: width) { rows in
            for r in rows {
              for c in 0..<width {
                values[r * width + c] = Float((Double(values[r * width + c]) - mean[c]) / deviation[c])
              }
            }
          }
        }
      }
    }
  }
}
