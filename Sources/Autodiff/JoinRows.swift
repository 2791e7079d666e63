import CKernels
import Compute

extension Tape {
  /// The rows of several tensors, one after the other: [R₁, D], [R₂, D], … -> [R₁ + R₂ + …, D].
  public func joinRows(_ parts: [Tensor]) -> Tensor {
    if parts.count == 1 { return parts[0] }
    let width = parts[0].columns
    precondition(parts.allSatisfy { $0.columns == width })
    let y = tensor(rows: parts.reduce(0) { $0 + $1.rows }, columns: width, from: parts)
    let starts = parts.indices.map { parts[..<$0].reduce(0) { $0 + $1.rows } }
    for (part, start) in zip(parts, starts) {
      engine.rows(over: part, y, cost: width, as: .tokens, values: 2 * part.count) { part, y, rows in
        for r in rows { y.row(start + r).update(from: part.row(r), count: width) }
      }
    }
    record(y) { [engine] dy in
      for (part, start) in zip(parts, starts) where part.tracksGradient {
        let (d, isFirst) = part.gradientSink(engine)
        engine.rows(over: d, dy, cost: width, as: .tokens, values: 2 * d.count) { d, dy, rows in
          for r in rows { pmae_axpby(1, dy.row(start + r), isFirst ? 0 : 1, d.row(r), width) }
        }
      }
    }
    return y
  }
}
