import CKernels
import Compute

/// What a batch normalisation found in its batch.
public struct BatchStatistics {
  /// Row 0 the means of the columns, row 1 their biased variances: [2, D].
  public let values: Tensor
  /// Rows of the batch.
  public let rows: Int
}

extension Tape {
  /// Batch normalisation with the statistics of the batch: each column (x − mean) / √(variance + ε) · γ + β over the rows, biased
  /// variance; then max(0, ·) where rectified. x [R, D], R at least 2; γ, β [1, D], or neither.
  public func batchNorm(
    _ x: Tensor, _ weights: (gamma: Tensor, beta: Tensor)? = nil, rectified: Bool = false, epsilon: Float = 1e-5
  ) -> (y: Tensor, statistics: BatchStatistics) {
    let (rows, width) = (x.rows, x.columns)
    precondition(rows > 1, "the variance of one row")
    let (gamma, beta) = (weights?.gamma, weights?.beta)
    let y = tensor(rows: rows, columns: width, from: [x] + [gamma, beta].compactMap { $0 })
    let statistics = Tensor(rows: 2, columns: width, values: engine.memory.take(2 * width))
    let rectify: Int32 = rectified ? 1 : 0
    let strips = (width + 63) / 64
    engine.measure(.norm, values: 3 * x.count) {
      withMatrices(x, y, statistics) { x, y, statistics in
        gamma.withMatrix { gamma in
          beta.withMatrix { beta in
            engine.threads.run(strips) { task in
              let (first, columns) = strip(task, of: width)
              pmae_batch_norm(
                x.pointer + first, x.stride, rows, columns, shifted(gamma, first), shifted(beta, first), epsilon,
                rectify,
                y.pointer + first, y.stride, statistics.row(0) + first, statistics.row(1) + first)
            }
          }
        }
      }
    }
    record(y) { [engine] dy in
      let dx = x.tracksGradient ? x.gradientSink(engine) : nil
      let sums = Tensor(rows: 2, columns: width, values: engine.memory.take(2 * width))
      engine.measure(.normBackward, values: 5 * x.count) {
        withMatrices(x, dy, statistics, sums) { x, dy, statistics, sums in
          gamma.withMatrix { gamma in
            beta.withMatrix { beta in
              (dx?.gradient).withMatrix { to in
                let accumulate: Int32 = dx?.isFirst == false ? 1 : 0
                let stride = rowStride(of: to)
                engine.threads.run(strips) { task in
                  let (first, columns) = strip(task, of: width)
                  let target: UnsafeMutablePointer<Float>? = if let to { to.pointer + first } else { nil }
                  pmae_batch_norm_backward(
                    x.pointer + first, x.stride, rows, columns, shifted(gamma, first), shifted(beta, first), epsilon,
                    rectify, statistics.row(0) + first, statistics.row(1) + first, dy.pointer + first, dy.stride,
                    target,
                    stride, accumulate, sums.row(0) + first, sums.row(1) + first)
                }
              }
            }
          }
        }
      }
      for (parameter, row) in [(gamma, 0), (beta, 1)] {
        guard let parameter, parameter.tracksGradient else { continue }
        let (d, isFirst) = parameter.gradientSink(engine)
        withMatrices(sums, d) { sums, d in pmae_axpby(1, sums.row(row), isFirst ? 0 : 1, d.pointer, width) }
      }
    }
    return (y, BatchStatistics(values: statistics, rows: rows))
  }
}

private func shifted(_ x: Matrix?, _ first: Int) -> UnsafePointer<Float>? {
  if let x { UnsafePointer(x.pointer + first) } else { nil }
}

private func rowStride(of x: Matrix?) -> Int { if let x { x.stride } else { 0 } }

/// The columns of a task: at most 64, which share a cache line a row.
private func strip(_ task: Int, of columns: Int) -> (first: Int, columns: Int) {
  (task * 64, min(64, columns - task * 64))
}
