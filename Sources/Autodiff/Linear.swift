import CKernels
import Compute

public enum Activation: Sendable { case none, gelu }

extension Tape {
  /// y = activation(x Wᵀ + b). x [R, I], W [O, I], b [O] or none -> [R, O]. GELU is the exact one.
  public func linear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, activation: Activation = .none
  ) -> Tensor {
    precondition(x.columns == weight.columns, "input width \(x.columns) for a weight of \(weight.columns)")
    let y = tensor(rows: x.rows, columns: weight.rows, from: x, weight, bias ?? x)
    let width = y.columns
    // GELU's input is kept for its slope; without it there is one array.
    let z = activation == .gelu ? engine.memory.take(y.count) : y.values
    engine.multiply(
      x.matrix, weight.matrix, into: Matrix(z.pointer, rows: y.rows, columns: width), transposing: .right
    ) { rows, columns in
      let start = rows.lowerBound * width + columns.lowerBound
      switch (activation, bias) {
      case (.gelu, let bias):
        guard let bias else { preconditionFailure("GELU is fused with a bias") }
        pmae_bias_gelu(
          z.pointer + start, bias.pointer + columns.lowerBound, y.pointer + start, rows.count, columns.count, width)
      case (.none, let bias?):
        pmae_add_bias(z.pointer + start, bias.pointer + columns.lowerBound, rows.count, columns.count, width)
      case (.none, nil): break
      }
    }
    record(y, changing: activation == .gelu) { [engine] dy in
      if activation == .gelu {
        engine.rows(y.count, cost: 1) { range in
          pmae_gelu_backward(z.pointer + range.lowerBound, dy.pointer + range.lowerBound, range.count)
        }
      }
      let dz = Matrix(dy.pointer, rows: y.rows, columns: width)
      if weight.tracksGradient {
        let (dw, isFirst) = weight.gradientSink(engine)
        engine.multiply(
          dz, x.matrix, into: Matrix(dw, rows: weight.rows, columns: weight.columns), transposing: .left,
          beta: isFirst ? 0 : 1)
      }
      if let bias, bias.tracksGradient {
        let (db, isFirst) = bias.gradientSink(engine)
        engine.columnStrips(width) { columns in
          pmae_column_sums(
            dy.pointer + columns.lowerBound, db + columns.lowerBound, y.rows, columns.count, width, isFirst ? 0 : 1)
        }
      }
      if x.tracksGradient {
        let (dx, isFirst) = x.gradientSink(engine)
        engine.multiply(
          dz, weight.matrix, into: Matrix(dx, rows: x.rows, columns: x.columns), beta: isFirst ? 0 : 1)
      }
    }
    return y
  }
}

extension Engine {
  /// Strips of columns for sums over rows: a strip is summed by one thread, from the first row to the last.
  func columnStrips(_ columns: Int, _ body: (Range<Int>) -> Void) {
    let width = 64
    threads.run((columns + width - 1) / width) { strip in body(strip * width..<min(columns, (strip + 1) * width)) }
  }
}
