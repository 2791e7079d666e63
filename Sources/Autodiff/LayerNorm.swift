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
    let statistics = engine.memory.take(2 * max(rowCount, 1))
    let source: (Int) -> Int = { r in rowsOf.map { Int($0[r]) } ?? r }
    let isNarrow = forProducts && precision == .bfloat16
    let stride = isNarrow ? width : Tensor.stride(width)
    let normalise = { [engine] in
      let values = engine.memory.take((max(rowCount, 1) * stride + 1) / (isNarrow ? 2 : 1))
      engine.measure(.norm, values: (isNarrow ? 3 : 4) * rowCount * width / 2) {
        engine.rows(rowCount, cost: width) { rows in
          let (x, gamma, beta) = (x.matrix, gamma.pointer, beta.pointer)
          for r in rows {
            let (from, notes) = (x.row(source(r)), statistics.pointer + 2 * r)
            if isNarrow {
              pmae_layer_norm_narrow(
                from, gamma, beta, values.pointer.asNarrow + r * stride, width, epsilon, notes)
            } else {
              pmae_layer_norm(from, gamma, beta, values.pointer + r * stride, width, epsilon, notes)
            }
          }
        }
      }
      return values
    }
    // Cheap to compute again from what is kept anyway: a block's two would else be a sixth of its memory.
    let y = Tensor(
      rows: rowCount, columns: width, tracksGradient: tracks([x, gamma, beta]), isNarrow: isNarrow, remake: normalise)
    record(y) { [engine] dy in
      engine.measure(.normBackward, values: 4 * rowCount * width) {
        if gamma.tracksGradient || beta.tracksGradient {
          let (dgamma, isFirst) = gamma.gradientSink(engine)
          let (dbeta, _) = beta.gradientSink(engine)
          let sums = engine.memory.take(2 * width)
          engine.columnSums(rows: rowCount, columns: 2 * width, into: sums.pointer, adding: false) { rows, sums in
            let r = rows.lowerBound
            rowsOf.withPointer(from: r) { places in
              pmae_layer_norm_parameters(
                places == nil ? x.row(r) : x.pointer, places, dy.row(r), statistics.pointer + 2 * r, sums,
                sums + width, rows.count, width, x.stride, dy.stride, 0)
            }
          }
          pmae_axpby(1, sums.pointer, isFirst ? 0 : 1, dgamma.pointer, width)
          pmae_axpby(1, sums.pointer + width, isFirst ? 0 : 1, dbeta.pointer, width)
        }
        guard x.tracksGradient else { return }
        let (dx, isFirst) = x.gradientSink(engine)
        if isFirst && rowsOf != nil { engine.zero(dx) }
        engine.rows(rowCount, cost: width) { rows in
          let (x, gamma, dy, dx) = (x.matrix, gamma.pointer, dy.matrix, dx.matrix)
          for r in rows {
            pmae_layer_norm_backward(
              x.row(source(r)), gamma, dy.row(r), dx.row(source(r)), width,
              statistics.pointer + 2 * r, isFirst && rowsOf == nil ? 0 : 1)
          }
        }
      }
    }
    return y
  }
}

extension Optional where Wrapped == [Int32] {
  fileprivate func withPointer(from place: Int, _ body: (UnsafePointer<Int32>?) -> Void) {
    if let self { self.withUnsafeBufferPointer { body($0.baseAddress.map { $0 + place }) } } else { body(nil) }
  }
}
