import CKernels
import Compute

/// What follows a normalisation.
public enum Activation: Int32, Sendable {
  case none = 0
  /// max(0, ·).
  case rectified = 1
  /// GELU, the exact one.
  case gelu = 2
}

extension Tape {
  /// Batch normalisation of a map over its pixels, then an activation: each channel (x − mean) / √(variance + ε) · γ + β, biased variance.
  /// map [N·h·w, C], at least two pixels; γ, β [1, C]. The pixels of all ranks are one batch. The result is computed again where the backward
  /// pass needs it.
  /// - Parameter known: means and variances [2, C] to use in place of the batch's: those of inference, which no gradient passes.
  /// - Returns: the map, and what the batch's statistics are; `known` where they were given.
  public func batchNorm(
    _ map: FeatureMap, _ gamma: Tensor, _ beta: Tensor, activation: Activation = .none, known: Tensor? = nil,
    epsilon: Float = 1e-5
  ) -> (y: FeatureMap, statistics: BatchStatistics) {
    let (x, rows, width) = (map.tensor, map.raster.pixels, map.channels)
    let count = known == nil ? engine.ranks.total(rows) : rows
    precondition(known != nil || count > 1, "the variance of one pixel")
    let statistics = known ?? engine.moments(of: x, rows: count)
    // 1 / deviation, and that times γ.
    let scales = Tensor(rows: 2, columns: width, values: engine.memory.take(2 * width))
    withMatrices(statistics, scales, gamma) { statistics, scales, gamma in
      for c in 0..<width {
        let inverse = 1 / (statistics.row(1)[c] + epsilon).squareRoot()
        (scales.row(0)[c], scales.row(1)[c]) = (inverse, inverse * gamma.pointer[c])
      }
    }
    let stride = Tensor.stride(width)
    let recompute = { [engine] in
      let values = engine.memory.take(max(1, rows * stride))
      let y = values.matrix(rows: rows, columns: width, stride: stride)
      engine.rows(over: x, statistics, scales, beta, count: rows, cost: width, as: .norm, values: 2 * x.count) {
        x, statistics, scales, beta, range in
        let r = range.lowerBound
        pmae_channel_norm(
          x.row(r), x.stride, range.count, width, statistics.row(0), scales.row(1), beta.pointer, activation.rawValue,
          y.row(r), y.stride)
      }
      return values
    }
    let y = Tensor(
      rows: rows, columns: width, tracksGradient: tracks([x, gamma, beta]), isBFloat16: false, recompute: recompute)
    record(y) { [engine] dy in
      // Of the gradient for what is activated: its sum, and its sum times the normalised input.
      let sums = Tensor(rows: 1, columns: 2 * width, values: engine.memory.take(2 * width))
      engine.measure(.normBackward, values: 5 * x.count) {
        withMatrices(x, dy, statistics, scales, beta) { x, dy, statistics, scales, beta in
          sums.withMatrix { sums in
            engine.columnSums(rows: rows, columns: 2 * width, into: sums, adding: false) { range, sums in
              let r = range.lowerBound
              pmae_channel_norm_sums(
                x.row(r), x.stride, range.count, width, statistics.row(0), scales.row(0), scales.row(1), beta.pointer,
                activation.rawValue, dy.row(r), dy.stride, sums, sums + width)
            }
          }
        }
        sums.withMatrix { sums in
          for (parameter, sum) in [(beta, sums.pointer), (gamma, sums.pointer + width)] where parameter.tracksGradient {
            let (d, isFirst) = parameter.gradientSink(engine)
            d.withMatrix { d in pmae_axpby(1, sum, isFirst ? 0 : 1, d.pointer, width) }
          }
          // Gradients of weights are added up over the ranks later, as all are. Known statistics do not move with x.
          if known == nil { engine.addRanks(to: sums.pointer, count: 2 * width) }
          for c in 0..<2 * width { sums.pointer[c] = known == nil ? sums.pointer[c] / Float(count) : 0 }
        }
        guard x.tracksGradient else { return }
        let (dx, isFirst) = x.gradientSink(engine)
        withMatrices(x, dy, statistics, scales, beta) { x, dy, statistics, scales, beta in
          engine.rows(over: sums, dx, count: rows, cost: width) { sums, dx, range in
            let r = range.lowerBound
            pmae_channel_norm_backward(
              x.row(r), x.stride, range.count, width, statistics.row(0), scales.row(0), scales.row(1), beta.pointer,
              activation.rawValue, dy.row(r), dy.stride, sums.pointer, sums.pointer + width, dx.row(r), dx.stride,
              isFirst ? 0 : 1)
          }
        }
      }
    }
    return (map.with(y), BatchStatistics(values: statistics, rows: count))
  }
}

extension Engine {
  /// Makes sums over this rank's rows those over all.
  fileprivate func addRanks(to sums: UnsafeMutablePointer<Float>, count: Int) {
    if ranks.count == 1 { return }
    let all = ranks.sum([Array(UnsafeBufferPointer(start: sums, count: count))])
    for c in 0..<count { sums[c] = all[c] }
  }

  /// The means of the columns and their biased variances, [2, C].
  /// - Parameter count: rows of all ranks.
  fileprivate func moments(of x: Tensor, rows count: Int) -> Tensor {
    let (rows, width) = (x.rows, x.columns)
    let moments = Tensor(rows: 2, columns: width, values: memory.take(2 * width))
    measure(.norm, values: 2 * x.count) {
      withMatrices(x, moments) { x, moments in
        let (mean, variance) = (moments.rows(0..<1), moments.rows(1..<2))
        columnSums(rows: rows, columns: width, into: mean, adding: false) { range, sums in
          pmae_column_sums(x.row(range.lowerBound), sums, range.count, width, x.stride, 0)
        }
        addRanks(to: mean.pointer, count: width)
        for c in 0..<width { mean.pointer[c] /= Float(count) }
        columnSums(rows: rows, columns: width, into: variance, adding: false) { range, sums in
          pmae_channel_sums(x.row(range.lowerBound), x.stride, range.count, width, mean.pointer, sums)
        }
        addRanks(to: variance.pointer, count: width)
        for c in 0..<width { variance.pointer[c] /= Float(count) }
      }
    }
    return moments
  }
}
