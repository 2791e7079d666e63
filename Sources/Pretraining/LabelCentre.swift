import Autodiff
import CKernels
import Compute
import Networks

/// Keeps a teacher's labels from collapsing to one prototype (DINO): the mean of the teacher's cosines, averaged over the steps, is
/// taken off them before their softmax.
final class LabelCentre: Network {
  private let name: String
  /// [1, C]
  private let values: Tensor
  /// What the cosines of this step add up to, and their number of rows. Of a batch in several shards the sums are by part.
  private var sums: [Tensor] = []
  private var rows = 0
  private let engine: Engine

  init(_ name: String, prototypes: Int, engine: Engine) {
    (self.name, self.engine) = (name, engine)
    values = Tensor(rows: 1, columns: prototypes, values: engine.memory.take(prototypes))
    values.values.zero()
  }

  var parameters: [Parameter] { [] }
  var constants: [Constant] { [Constant(name: name, shape: [1, values.columns], tensor: values)] }

  /// Notes cosines [R, C] for the next move.
  /// - Parameter standing: how many rows each of them stands for.
  func note(_ cosines: Tensor, standing: Int = 1) {
    let columns = cosines.columns
    let isNew = sums.isEmpty || engine.ranks.shards > 1
    if isNew { sums.append(Tensor(rows: 1, columns: columns, values: engine.memory.take(columns))) }
    engine.measure(.labels, values: cosines.count) {
      withMatrices(cosines, sums[sums.count - 1]) { cosines, sums in
        engine.columnSums(rows: cosines.rows, columns: columns, into: sums, adding: !isNew) { range, part in
          pmae_column_sums(cosines.row(range.lowerBound), part, range.count, columns, cosines.stride, 0)
          if standing != 1 { pmae_axpby(0, part, Float(standing), part, columns) }
        }
      }
    }
    rows += standing * cosines.rows
  }

  /// Turns cosines [R, C] into labels in their place: softmax((cosine − centre) / temperature).
  func label(_ cosines: Tensor, temperature: Double) {
    let columns = cosines.columns
    let ones = Tensor(rows: 1, columns: columns, values: engine.memory.take(columns))
    ones.withValues { $0.update(repeating: 1) }
    engine.rows(over: cosines, values, ones, cost: columns, as: .labels, values: 4 * cosines.count) {
      cosines, centre, ones, range in
      for r in range {
        let x = cosines.row(r)
        pmae_axpy(-1, centre.pointer, x, columns)
        pmae_exp_scaled(x, x, columns, pmae_maximum(x, columns), Float(1 / temperature))
        pmae_scale_row(x, ones.pointer, columns)
      }
    }
  }

  /// The centre moves towards the mean of what all ranks noted: c ← m c + (1 − m) mean.
  func move(momentum: Double) {
    if rows == 0 { return }
    let all = engine.ranks.total(rows)
    let total = engine.ranks.sum(sums.map { $0.withValues { Array($0) } })
    values.withMatrix { values in
      pmae_axpby(Float((1 - momentum) / Double(all)), total, Float(momentum), values.pointer, values.columns)
    }
    (rows, sums) = (0, [])
  }

  /// The centre's length.
  var length: Double { values.withMatrix { pmae_dot($0.pointer, $0.pointer, $0.columns) }.squareRoot() }
}
