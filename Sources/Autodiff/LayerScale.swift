import CKernels
import Compute

extension Tape {
  /// A branch with a factor for each of its columns, onto a residual: y = r.x + r.scale · γ ⊙ branch (LayerScale, Touvron et
  /// al., 2021). branch [R, D], γ [D] -> the residual's shape.
  public func layerScaled(_ branch: Tensor, by gamma: Tensor, onto residual: Residual) -> Tensor {
    let (x, width, scale) = (residual.x, branch.columns, residual.scale)
    precondition(x.columns == width && gamma.count == width && (residual.rowsOf?.count ?? x.rows) == branch.rows)
    let y = tensor(rows: x.rows, columns: width, from: x, branch, gamma)
    if residual.rowsOf != nil { engine.copy(x, to: y) }
    engine.rows(over: branch, gamma, x, y, count: branch.rows, cost: width, as: .tokens, values: 3 * branch.count) {
      branch, gamma, x, y, rows in
      for r in rows {
        let place = residual.row(r)
        pmae_add_product(x.row(place), scale, branch.row(r), gamma.pointer, y.row(place), width)
      }
    }
    record(y) { [engine] dy in
      if x.tracksGradient { x.addGradient(dy, engine) }
      if gamma.tracksGradient {
        let (dgamma, isFirst) = gamma.gradientSink(engine)
        withMatrices(branch, dy, dgamma) { branch, dy, dgamma in
          engine.columnSums(rows: branch.rows, columns: width, into: dgamma, adding: !isFirst) { rows, sums in
            sums.update(repeating: 0, count: width)
            for r in rows { pmae_add_product(sums, scale, dy.row(residual.row(r)), branch.row(r), sums, width) }
          }
        }
      }
      guard branch.tracksGradient else { return }
      let (db, isFirst) = branch.gradientSink(engine)
      engine.rows(over: dy, gamma, db, count: branch.rows, cost: width, as: .tokens, values: 2 * branch.count) {
        dy, gamma, db, rows in
        for r in rows {
          pmae_add_product(isFirst ? nil : db.row(r), scale, dy.row(residual.row(r)), gamma.pointer, db.row(r), width)
        }
      }
    }
    return y
  }
}
