import CKernels
import Compute

extension Tape {
  /// Layer normalisation over each row: (x − mean) / √(variance + ε) · γ + β, biased variance. x [R, D], γ, β [D].
  /// - Parameters:
  ///   - rowsOf: where given, the rows of x that are normalised, each at most once: -> [rowsOf.count, D]. Drop path
  ///     leaves the others out of a block's branch.
  public func layerNorm(
    _ x: Tensor, _ gamma: Tensor, _ beta: Tensor, rowsOf: [Int32]? = nil, epsilon: Float = 1e-6,
    forProducts: Bool = false
  ) -> Tensor {
    let width = x.columns
    let rowCount = rowsOf?.count ?? x.rows
    // Each row's mean and 1 / deviation.
    let statistics = Tensor(
      rows: max(rowCount, 1), columns: 2, values: engine.memory.take(2 * max(rowCount, 1)))
    let isBFloat16 = forProducts && precision == .bfloat16
    let stride = isBFloat16 ? width : Tensor.stride(width)
    let recompute = { [engine] in
      let values = engine.memory.take((max(rowCount, 1) * stride + 1) / (isBFloat16 ? 2 : 1))
      engine.measure(.norm, values: (isBFloat16 ? 3 : 4) * rowCount * width / 2) {
        let y = values.operand(isBFloat16: isBFloat16, rows: rowCount, columns: width, stride: stride)
        engine.rows(over: x, gamma, beta, statistics, count: rowCount, cost: width) {
          x, gamma, beta, statistics, rows in
          for r in rows {
            let (from, notes) = (x.row(rowsOf.row(r)), statistics.row(r))
            switch y {
            case .bfloat16(let y):
              pmae_layer_norm_bf16(from, gamma.pointer, beta.pointer, y.row(r), width, epsilon, notes)
            case .float32(let y):
              pmae_layer_norm(from, gamma.pointer, beta.pointer, y.row(r), width, epsilon, notes)
            }
          }
        }
      }
      return values
    }
    // Cheap to compute again from values that are kept anyway. A block's two outputs would otherwise be a sixth of its
    // memory.
    let y = Tensor(
      rows: rowCount, columns: width, tracksGradient: tracks([x, gamma, beta]), isBFloat16: isBFloat16,
      recompute: recompute)
    record(y) { [engine] dy in
      engine.measure(.normBackward, values: 4 * rowCount * width) {
        if gamma.tracksGradient || beta.tracksGradient {
          let (dgamma, isFirst) = gamma.gradientSink(engine)
          let (dbeta, _) = beta.gradientSink(engine)
          let memory = engine.memory.take(2 * width)
          let sums = memory.matrix(rows: 1, columns: 2 * width)
          withMatrices(x, dy, statistics) { x, dy, statistics in
            engine.columnSums(rows: rowCount, columns: 2 * width, into: sums, adding: false) { rows, sums in
              let r = rows.lowerBound
              rowsOf.withPointer(from: r) { places in
                pmae_layer_norm_parameters(
                  places == nil ? x.row(r) : x.pointer, places, dy.row(r), statistics.row(r), sums, sums + width,
                  rows.count, width, x.stride, dy.stride, 0)
              }
            }
          }
          withMatrices(dgamma, dbeta) { dgamma, dbeta in
            pmae_axpby(1, sums.pointer, isFirst ? 0 : 1, dgamma.pointer, width)
            pmae_axpby(1, sums.pointer + width, isFirst ? 0 : 1, dbeta.pointer, width)
          }
        }
        guard x.tracksGradient else { return }
        let (dx, isFirst) = x.gradientSink(engine)
        if isFirst && rowsOf != nil { engine.zero(dx) }
        engine.rows(over: x, gamma, dy, dx, statistics, count: rowCount, cost: width) {
          x, gamma, dy, dx, statistics, rows in
          for r in rows {
            pmae_layer_norm_backward(
              x.row(rowsOf.row(r)), gamma.pointer, dy.row(r), dx.row(rowsOf.row(r)), width, statistics.row(r),
              isFirst && rowsOf == nil ? 0 : 1)
          }
        }
      }
    }
    return y
  }
}
