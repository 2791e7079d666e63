import CKernels
import Compute

extension Tape {
  /// Sequences put together from two tensors': of each sequence first the rows of `a`, then those of `b`, each with its position
  /// added where there are positions. a [B·m, D], b [B·n, D] -> [B·(m + n), D].
  /// - Parameters:
  ///   - positions: a table [P, D], constant, and the row of it for each row of the result.
  public func joinSequences(
    _ a: Tensor, _ b: Tensor? = nil, positions: (table: Tensor, rows: [Int32])? = nil, sequences: Int
  ) -> Tensor {
    let width = a.columns
    let parts = [a] + (b.map { [$0] } ?? [])
    let lengths = parts.map { $0.rows / sequences }
    let length = lengths.reduce(0, +)
    precondition(zip(parts, lengths).allSatisfy { $0.rows == sequences * $1 && $0.columns == width })
    precondition(positions?.rows.count ?? sequences * length == sequences * length)
    let y = tensor(rows: sequences * length, columns: width, from: parts)
    let starts = [0, lengths[0]]
    for (part, (start, own)) in zip(parts, zip(starts, lengths)) {
      engine.rows(over: part, y, positions?.table ?? part, cost: width, as: .tokens, values: 2 * part.count) {
        part, y, table, range in
        for r in range {
          let to = r / own * length + start + r % own
          if let positions {
            pmae_add_scaled(part.row(r), 1, table.row(Int(positions.rows[to])), y.row(to), width)
          } else {
            y.row(to).update(from: part.row(r), count: width)
          }
        }
      }
    }
    record(y) { [engine] dy in
      for (part, (start, own)) in zip(parts, zip(starts, lengths)) where part.tracksGradient {
        let (d, isFirst) = part.gradientSink(engine)
        engine.rows(over: d, dy, cost: width, as: .tokens, values: 2 * d.count) { d, dy, range in
          for r in range {
            pmae_axpby(1, dy.row(r / own * length + start + r % own), isFirst ? 0 : 1, d.row(r), width)
          }
        }
      }
    }
    return y
  }

  /// One row [1, D] many times: [count, D].
  public func repeated(_ row: Tensor, count: Int) -> Tensor {
    let width = row.columns
    let y = tensor(rows: count, columns: width, from: row)
    engine.rows(over: y, row, cost: width, as: .tokens, values: y.count) { y, row, range in
      for r in range { y.row(r).update(from: row.pointer, count: width) }
    }
    record(y) { [engine] dy in
      let (d, isFirst) = row.gradientSink(engine)
      withMatrices(dy, d) { dy, d in
        engine.measure(.tokens, values: dy.rows * width) {
          engine.columnSums(rows: count, columns: width, into: d, adding: !isFirst) { range, sums in
            pmae_column_sums(dy.row(range.lowerBound), sums, range.count, width, dy.stride, 0)
          }
        }
      }
    }
    return y
  }
}
