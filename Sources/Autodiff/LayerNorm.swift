import CKernels
import Compute

extension Tape {
  /// Layer normalisation over each row: (x − mean) / √(variance + ε) · γ + β, biased variance. x [R, D], γ, β [D].
  /// - Parameter rowsOf: where given, the rows of x that are normalised, each at most once: -> [rowsOf.count, D]. Drop path
  ///   leaves the others out of a block's branch.
  public func layerNorm(
    _ x: Tensor, _ gamma: Tensor, _ beta: Tensor, rowsOf: [Int32]? = nil, epsilon: Float = 1e-6
  ) -> Tensor {
    let width = x.columns
    let y = tensor(rows: rowsOf?.count ?? x.rows, columns: width, from: x, gamma, beta)
    let statistics = engine.memory.take(2 * max(y.rows, 1))
    let source: (Int) -> Int = { r in rowsOf.map { Int($0[r]) } ?? r }
    engine.rows(y.rows, cost: width) { rows in
      for r in rows {
        pmae_layer_norm(
          x.row(source(r)), gamma.pointer, beta.pointer, y.row(r), width, epsilon, statistics.pointer + 2 * r)
      }
    }
    record(y) { [engine] dy in
      if gamma.tracksGradient || beta.tracksGradient {
        let (dgamma, isFirst) = gamma.gradientSink(engine)
        let (dbeta, _) = beta.gradientSink(engine)
        engine.columnStrips(width) { columns in
          let c = columns.lowerBound
          rowsOf.withPointer { rows in
            pmae_layer_norm_parameters(
              x.pointer + c, rows, dy.pointer + c, statistics.pointer, dgamma + c, dbeta + c, y.rows, columns.count,
              width, isFirst ? 0 : 1)
          }
        }
      }
      guard x.tracksGradient else { return }
      let (dx, isFirst) = x.gradientSink(engine)
      if isFirst && rowsOf != nil { dx.update(repeating: 0, count: x.count) }
      engine.rows(y.rows, cost: width) { rows in
        for r in rows {
          pmae_layer_norm_backward(
            x.row(source(r)), gamma.pointer, dy.pointer + r * width, dx + source(r) * width, width,
            statistics.pointer + 2 * r, isFirst && rowsOf == nil ? 0 : 1)
        }
      }
    }
    return y
  }
}

extension Optional where Wrapped == [Int32] {
  fileprivate func withPointer(_ body: (UnsafePointer<Int32>?) -> Void) {
    if let self { self.withUnsafeBufferPointer { body($0.baseAddress) } } else { body(nil) }
  }
}
