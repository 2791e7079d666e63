import CKernels
import Compute

extension Tape {
  /// Cross-entropy with a class for each row, −log softmax(scale · logits)[class]. logits [R, C], classes [R].
  /// - Parameters:
  ///   - scale: one over the temperature.
  ///   - count: what the sum over the rows is divided by; the number of rows unless given.
  /// Its gradient takes the logits' place in memory: nothing else may use them after `backward`.
  public func crossEntropy(
    _ logits: Tensor, classes: [Int32], scale: Float = 1, over count: Double? = nil
  ) -> Loss {
    let (rows, width) = (logits.rows, logits.columns)
    precondition(classes.count == rows && classes.allSatisfy { (0..<width).contains(Int($0)) })
    let count = count ?? Double(rows)
    let statistics = Tensor(rows: rows, columns: 2, values: engine.memory.take(2 * rows))
    let value = withMatrices(logits, statistics) { x, statistics in
      sum(over: rows, cost: width) { r in
        pmae_cross_entropy(x.row(r), Int(classes[r]), width, scale, statistics.row(r))
      }
    }
    return Loss(value: value / count) { [engine] weight in
      guard logits.tracksGradient else { return }
      let factor = weight * scale / Float(count)
      engine.rows(over: logits, statistics, cost: width, as: .losses, values: 2 * logits.count) { x, statistics, rows in
        for r in rows {
          pmae_cross_entropy_backward(x.row(r), Int(classes[r]), width, scale, factor, statistics.row(r))
        }
      }
      logits.addGradient(logits, engine)
    }
  }

  /// The sum over all values of |prediction − target|, divided by `count`; the number of values unless given. Both [R, D]; the
  /// target is constant.
  public func absoluteError(_ prediction: Tensor, target: Tensor, over count: Double? = nil) -> Loss {
    precondition(prediction.columns == target.columns && prediction.rows == target.rows)
    let width = prediction.columns
    let count = count ?? Double(prediction.count)
    let sign = Tensor(rows: prediction.rows, columns: width, values: engine.memory.take(prediction.count))
    let value = withMatrices(prediction, target, sign) { x, targets, sign in
      sum(over: x.rows, cost: width) { r in pmae_absolute_error(x.row(r), targets.row(r), sign.row(r), width) }
    }
    return Loss(value: value / count) { [engine] weight in
      guard prediction.tracksGradient else { return }
      let (d, isFirst) = prediction.gradientSink(engine)
      let factor = weight / Float(count)
      engine.rows(over: d, sign, cost: width, as: .losses, values: 2 * prediction.count) { d, sign, rows in
        for r in rows { pmae_axpby(factor, sign.row(r), isFirst ? 0 : 1, d.row(r), width) }
      }
    }
  }
}
