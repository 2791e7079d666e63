import Autodiff
import CKernels
import Compute
import Foundation

/// Sinkhorn-Knopp (SwAV): soft assignments of R rows to C prototypes, each row summing to 1, the prototypes used evenly.
/// Takes the place of the logits in memory.
///
/// The greatest logit is subtracted first, which only prevents overflow. At a low temperature all exponentials of a
/// prototype or of a row could vanish: as in a collapse, their logits may be 87 temperatures below what they are
/// compared with. There the first iteration is computed from logarithms. After it all sums are at least 1 / (R C), so
/// the others need no such care.
/// - Parameter parts: the logits of the batch, [R, C] in one piece or more, one after the other. Those of all ranks are balanced
///   together.
public func sinkhorn(_ parts: [Tensor], temperature: Double, iterations: Int, engine: Engine) {
  let scale = Float(1 / temperature)
  let (least, top) = engine.extremes(parts)
  var pending = RowStep.exponential
  var first = 0
  // Cosines differ by at most 2, so this concerns only temperatures below 0.034.
  if iterations > 0, (top - least) * scale > 60,
    let greatest = engine.vanishing(parts, top: top, scale: scale)
  {
    engine.firstIteration(parts, greatest: greatest, scale: scale)
    (pending, first) = (.none, 1)
  }
  for iteration in 0..<iterations where iteration >= first {
    // The step before has left something to do to each row. It is done while the row is in cache for its part of the
    // sums.
    let sums = engine.sumOfBatch(parts) { part, sums, adding in
      engine.columnSums(of: part, into: sums, adding: adding, after: pending, top: top, scale: scale)
    }
    // Rows are scaled to 1 instead of 1 / R: the next division by the column sums takes the factor out again.
    sums.withValues { for i in $0.indices { $0[i] = 1 / $0[i] } }
    pending = .scale(sums)
  }
  for part in parts { engine.apply(pending, to: part, top: top, scale: scale) }
}

/// What is still to be done to each row.
private enum RowStep {
  case none
  /// x = exp((x − top) / temperature).
  case exponential
  /// Columns times these, [1, C], then the row to sum 1.
  case scale(Tensor)
}

extension Engine {
  fileprivate func row(_ columns: Int) -> Tensor { Tensor(rows: 1, columns: columns, values: memory.take(columns)) }

  /// The sums of columns, once a step has been applied to the rows.
  fileprivate func columnSums(
    of part: Tensor, into sums: Tensor, adding: Bool, after step: RowStep, top: Float, scale: Float
  ) {
    let columns = part.columns
    func sum(_ apply: (UnsafeMutablePointer<Float>) -> Void) {
      withMatrices(part, sums) { part, sums in
        columnSums(rows: part.rows, columns: columns, into: sums, adding: adding) { rows, sums in
          for r in rows { apply(part.row(r)) }
          pmae_column_sums(part.row(rows.lowerBound), sums, rows.count, columns, part.stride, 0)
        }
      }
    }
    switch step {
    case .none: sum { _ in }
    case .exponential: sum { pmae_exp_scaled($0, $0, columns, top, scale) }
    case .scale(let factors): factors.withMatrix { factors in sum { pmae_scale_row($0, factors.pointer, columns) } }
    }
  }

  fileprivate func apply(_ step: RowStep, to part: Tensor, top: Float, scale: Float) {
    let columns = part.columns
    switch step {
    case .none: break
    case .exponential:
      rows(over: part, cost: columns) { part, range in
        for r in range { pmae_exp_scaled(part.row(r), part.row(r), columns, top, scale) }
      }
    case .scale(let factors):
      rows(over: part, factors, cost: columns) { part, factors, range in
        for r in range { pmae_scale_row(part.row(r), factors.pointer, columns) }
      }
    }
  }

  /// The least and the greatest of the logits of all ranks.
  fileprivate func extremes(_ parts: [Tensor]) -> (least: Float, greatest: Float) {
    let each = parts.map { extremes($0) }
    let found = ranks.greatest([-(each.map(\.least).min() ?? 0), each.map(\.greatest).max() ?? 0])
    return (-found[0], found[1])
  }

  private func extremes(_ x: Tensor) -> (least: Float, greatest: Float) {
    let each = Tensor(rows: x.rows, columns: 2, values: memory.take(max(1, 2 * x.rows)))
    rows(over: x, each, cost: x.columns) { x, each, range in
      for r in range {
        each.row(r)[0] = pmae_minimum(x.row(r), x.columns)
        each.row(r)[1] = pmae_maximum(x.row(r), x.columns)
      }
    }
    return each.withMatrix { each in
      (0..<each.rows).reduce((.infinity, -.infinity)) { (min($0.0, each.row($1)[0]), max($0.1, each.row($1)[1])) }
    }
  }

  /// The greatest logit of each prototype, [1, C], where the exponentials of a prototype or of a row could all vanish; nil where
  /// every sum is sure to be a normal number.
  fileprivate func vanishing(_ parts: [Tensor], top: Float, scale: Float) -> Tensor? {
    let columns = parts[0].columns
    let greatest = row(columns)
    greatest.withValues { $0.update(repeating: -.infinity) }
    let strip = 64
    for part in parts {
      withMatrices(part, greatest) { part, greatest in
        threads.run((columns + strip - 1) / strip) { task in
          let first = task * strip
          for r in 0..<part.rows {
            pmae_raise(part.row(r) + first, greatest.pointer + first, min(strip, columns - first))
          }
        }
      }
    }
    let all = ranks.greatest(greatest.withValues { Array($0) })
    greatest.withValues { _ = $0.update(fromContentsOf: all) }
    // exp(−87) is a normal number still. A prototype's sum is at most R times its greatest.
    let count = ranks.total(parts.reduce(0) { $0 + $1.rows })
    if greatest.withValues({ ($0.min()! - top) * scale }) < -87 { return greatest }
    let limit = -87 + Float(log(Double(count)))
    var isNear = true
    for part in parts where isNear {
      let nearest = Tensor(rows: part.rows, columns: 1, values: memory.take(max(1, part.rows)))
      withMatrices(part, greatest, nearest) { part, greatest, nearest in
        run(part.rows, scratch: columns) { r, scratch in
          pmae_add_scaled(part.row(r), -1, greatest.pointer, scratch, columns)
          nearest.row(r)[0] = pmae_maximum(scratch, columns) * scale
        }
      }
      isNear = nearest.withValues { $0.allSatisfy { $0 >= limit } }
    }
    return ranks.any([!isNear])[0] ? greatest : nil
  }

  /// Of logits x: exp(x / temperature) with columns scaled to sum 1, then rows.
  /// - Parameter greatest: of each column, [1, C].
  fileprivate func firstIteration(_ parts: [Tensor], greatest: Tensor, scale: Float) {
    let columns = greatest.columns
    // Of what is at most 1, and 1 once.
    let sums = sumOfBatch(parts) { part, sums, adding in
      withMatrices(part, greatest, sums) { part, greatest, sums in
        columnSums(rows: part.rows, columns: columns, into: sums, adding: adding) { rows, sums in
          sums.update(repeating: 0, count: columns)
          withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { copy in
            let copy = copy.baseAddress!
            for r in rows {
              pmae_add_scaled(part.row(r), -1, greatest.pointer, copy, columns)
              pmae_exp_scaled(copy, copy, columns, 0, scale)
              pmae_axpy(1, copy, sums, columns)
            }
          }
        }
      }
    }
    // A column divided by its sum: a shift of its logits.
    let (shifts, ones) = (row(columns), row(columns))
    for c in 0..<columns { shifts.values[c] = greatest.values[c] + log(sums.values[c]) / scale }
    ones.withValues { $0.update(repeating: 1) }
    for part in parts {
      rows(over: part, shifts, ones, cost: columns) { part, shifts, ones, range in
        for r in range {
          let x = part.row(r)
          pmae_axpy(-1, shifts.pointer, x, columns)
          pmae_exp_scaled(x, x, columns, pmae_maximum(x, columns), scale)
          pmae_scale_row(x, ones.pointer, columns)
        }
      }
    }
  }
}
