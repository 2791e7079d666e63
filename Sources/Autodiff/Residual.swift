import CKernels
import Compute

extension Tape {
  /// y = x + scale · branch. x [R, D]; branch [R, D], or with `rowsOf` [rowsOf.count, D]: its row r belongs to row
  /// rowsOf[r] of x, and rows of x that are not named pass unchanged (drop path: a kept sample's branch is scaled by
  /// 1 / keep, a dropped one's is never computed).
  public func addBranch(_ x: Tensor, _ branch: Tensor, rowsOf: [Int32]? = nil, scale: Float = 1) -> Tensor {
    precondition(x.columns == branch.columns && branch.rows == rowsOf?.count ?? x.rows)
    let width = x.columns
    let y = tensor(rows: x.rows, columns: width, from: x, branch)
    if let rowsOf {
      engine.rows(x.count, cost: 1) { range in
        (y.pointer + range.lowerBound).update(from: x.pointer + range.lowerBound, count: range.count)
      }
      engine.rows(branch.rows, cost: width) { rows in
        for r in rows { pmae_axpy(scale, branch.row(r), y.row(Int(rowsOf[r])), width) }
      }
    } else {
      engine.rows(x.count, cost: 1) { range in
        let i = range.lowerBound
        pmae_add_scaled(x.pointer + i, scale, branch.pointer + i, y.pointer + i, range.count)
      }
    }
    record(y) { [engine] dy in
      if branch.tracksGradient {
        if rowsOf == nil && scale == 1 {
          branch.addGradient(dy, engine)
        } else {
          let (db, isFirst) = branch.gradientSink(engine)
          engine.rows(branch.rows, cost: width) { rows in
            for r in rows {
              let from = dy.pointer + (rowsOf.map { Int($0[r]) } ?? r) * width
              pmae_axpby(scale, from, isFirst ? 0 : 1, db + r * width, width)
            }
          }
        }
      }
      if x.tracksGradient { x.addGradient(dy, engine) }
    }
    return y
  }
}
