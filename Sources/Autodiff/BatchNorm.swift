import CKernels
import Compute

/// What a batch normalisation found in its batch.
public struct BatchStatistics {
  /// Row 0 the means of the columns, row 1 their biased variances: [2, D].
  public let values: Tensor
  /// Rows of the batch, those of other ranks included.
  public let rows: Int
}

extension Tape {
  /// Batch normalisation with the statistics of the batch: each column (x − mean) / √(variance + ε) · γ + β over the rows, biased
  /// variance; then max(0, ·) where rectified. x [R, D], R at least 2; γ, β [1, D], or neither. The rows of all ranks are one batch.
  public func batchNorm(
    _ x: Tensor, _ weights: (gamma: Tensor, beta: Tensor)? = nil, rectified: Bool = false, epsilon: Float = 1e-5
  ) -> (y: Tensor, statistics: BatchStatistics) {
    let width = x.columns
    let count = engine.ranks.total(x.rows)
    precondition(count > 1, "the variance of one row")
    let (gamma, beta) = (weights?.gamma, weights?.beta)
    let y = tensor(rows: x.rows, columns: width, from: [x] + [gamma, beta].compactMap { $0 })
    let statistics = Tensor(rows: 2, columns: width, values: engine.memory.take(2 * width))
    let rectify: Int32 = rectified ? 1 : 0
    for row in 0..<2 {
      let sums = sums(of: x, around: row == 0 ? nil : statistics)
      statistics.withMatrix { for c in 0..<width { $0.row(row)[c] = Float(sums[c] / Double(count)) } }
    }
    engine.measure(.norm, values: 3 * x.count) {
      withMatrices(x, y, statistics) { x, y, statistics in
        gamma.withMatrix { gamma in
          beta.withMatrix { beta in
            strips(of: width) { first, columns in
              pmae_batch_norm(
                x.pointer + first, x.stride, x.rows, columns, shifted(gamma, first), shifted(beta, first), epsilon,
                rectify, statistics.row(0) + first, statistics.row(1) + first, y.pointer + first, y.stride)
            }
          }
        }
      }
    }
    record(y) { [self] dy in
      let (own, all) = gradientSums(x, dy, gamma, beta, statistics, epsilon, rectify)
      if x.tracksGradient {
        let (dx, isFirst) = x.gradientSink(engine)
        engine.measure(.normBackward, values: 3 * x.count) {
          withMatrices(x, dy, statistics, dx) { x, dy, statistics, dx in
            gamma.withMatrix { gamma in
              beta.withMatrix { beta in
                all.withUnsafeBufferPointer { all in
                  let sums = all.baseAddress!
                  strips(of: width) { first, columns in
                    pmae_batch_norm_backward(
                      x.pointer + first, x.stride, x.rows, columns, shifted(gamma, first), shifted(beta, first),
                      epsilon, rectify, statistics.row(0) + first, statistics.row(1) + first, dy.pointer + first,
                      dy.stride, sums + first, sums + width + first, Double(count), dx.pointer + first, dx.stride,
                      isFirst ? 0 : 1)
                  }
                }
              }
            }
          }
        }
      }
      // Gradients of weights are added up over the ranks later, as all are.
      for (parameter, place) in [(gamma, width), (beta, 0)] {
        guard let parameter, parameter.tracksGradient else { continue }
        let (d, isFirst) = parameter.gradientSink(engine)
        d.withMatrix { d in
          for c in 0..<width { d.pointer[c] = Float(own[place + c]) + (isFirst ? 0 : d.pointer[c]) }
        }
      }
    }
    return (y, BatchStatistics(values: statistics, rows: count))
  }

  /// The sums of each column over the rows of all ranks.
  /// - Parameter means: in row 0; where given, the sums are of squared distances to them.
  private func sums(of x: Tensor, around means: Tensor?) -> [Double] {
    var sums = [Double](repeating: 0, count: x.columns)
    sums.withUnsafeMutableBufferPointer { sums in
      let to = sums.baseAddress!
      engine.measure(.norm, values: x.count) {
        x.withMatrix { x in
          means.withMatrix { means in
            strips(of: x.columns) { first, columns in
              pmae_batch_sums(x.pointer + first, x.stride, x.rows, columns, shifted(means, first), to + first)
            }
          }
        }
      }
    }
    return engine.ranks.sum([sums])
  }

  /// The sums of dy, [D], then those of dy · (x − mean) / √(variance + ε), [D], over this rank's rows and over all.
  private func gradientSums(
    _ x: Tensor, _ dy: Tensor, _ gamma: Tensor?, _ beta: Tensor?, _ statistics: Tensor, _ epsilon: Float,
    _ rectify: Int32
  ) -> (own: [Double], all: [Double]) {
    let width = x.columns
    var sums = [Double](repeating: 0, count: 2 * width)
    sums.withUnsafeMutableBufferPointer { sums in
      let to = sums.baseAddress!
      engine.measure(.normBackward, values: 2 * x.count) {
        withMatrices(x, dy, statistics) { x, dy, statistics in
          gamma.withMatrix { gamma in
            beta.withMatrix { beta in
              strips(of: width) { first, columns in
                pmae_batch_norm_sums_backward(
                  x.pointer + first, x.stride, x.rows, columns, shifted(gamma, first), shifted(beta, first), epsilon,
                  rectify, statistics.row(0) + first, statistics.row(1) + first, dy.pointer + first, dy.stride,
                  to + first, to + width + first)
              }
            }
          }
        }
      }
    }
    return (sums, engine.ranks.sum([sums]))
  }

  /// Runs `body` for each strip of at most 64 columns, which share a cache line a row.
  private func strips(of columns: Int, _ body: (_ first: Int, _ columns: Int) -> Void) {
    engine.threads.run((columns + 63) / 64) { task in body(task * 64, min(64, columns - task * 64)) }
  }
}

private func shifted(_ x: Matrix?, _ first: Int) -> UnsafePointer<Float>? {
  if let x { UnsafePointer(x.pointer + first) } else { nil }
}
