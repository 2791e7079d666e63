import CKernels
import Compute

extension Tape {
  /// Cross-entropy with soft labels, −Σ label · log softmax(scale · logits), mean over rows. logits [R, C]; labels [R', C].
  /// - Parameters:
  ///   - rowOf: where given, the row of `labels` that belongs to each row of the logits.
  ///   - scale: one over the temperature.
  ///   - weights: of the rows; 1 each unless given.
  ///   - count: what the weighted sum over the rows is divided by; the number of rows unless given.
  /// Its gradient takes the logits' place in memory: nothing else may use them after `backward`.
  public func softCrossEntropy(
    _ logits: Tensor, labels: Tensor, rowOf: [Int32]? = nil, scale: Float = 1, weights: [Float]? = nil,
    over count: Double? = nil
  ) -> Loss {
    precondition(logits.columns == labels.columns && logits.rows == rowOf?.count ?? labels.rows)
    let width = logits.columns
    let rowCount = logits.rows
    precondition(weights?.count ?? rowCount == rowCount)
    let count = count ?? Double(rowCount)
    let statistics = Tensor(rows: rowCount, columns: 3, values: engine.memory.take(3 * rowCount))
    let total = withMatrices(logits, labels, statistics) { x, labels, statistics in
      sum(over: rowCount, cost: width) { r in
        let entropy = pmae_soft_cross_entropy(x.row(r), labels.row(rowOf.row(r)), width, scale, statistics.row(r))
        return if let weights { entropy * Double(weights[r]) } else { entropy }
      }
    }
    return Loss(value: total / count) { [engine] weight in
      guard logits.tracksGradient else { return }
      let all = weight * scale / Float(count)
      engine.rows(over: logits, labels, statistics, cost: width, as: .losses, values: 3 * logits.count) {
        x, labels, statistics, rows in
        for r in rows {
          let factor = if let weights { all * weights[r] } else { all }
          pmae_soft_cross_entropy_backward(x.row(r), labels.row(rowOf.row(r)), width, scale, factor, statistics.row(r))
        }
      }
      logits.addGradient(logits, engine)
    }
  }

  /// Binary cross-entropy of a sigmoid for each logit, with targets from 0 to 1: −t log σ(x) − (1 − t) log (1 − σ(x)), mean over
  /// all values, as PyTorch's `binary_cross_entropy_with_logits`. Both [R, C]; the targets are constant.
  /// Its gradient takes the logits' place in memory: nothing else may use them after `backward`.
  public func binaryCrossEntropy(_ logits: Tensor, targets: Tensor) -> Loss {
    precondition(logits.columns == targets.columns && logits.rows == targets.rows)
    let width = logits.columns
    let value = withMatrices(logits, targets) { x, targets in
      mean(over: x.rows, cost: width) { r in pmae_binary_cross_entropy(x.row(r), targets.row(r), width) }
    }
    return Loss(value: value / Double(width)) { [engine] weight in
      guard logits.tracksGradient else { return }
      let factor = weight / Float(logits.count)
      engine.rows(over: logits, targets, cost: width, as: .losses, values: 2 * logits.count) { x, targets, rows in
        for r in rows { pmae_binary_cross_entropy_backward(x.row(r), targets.row(r), width, factor) }
      }
      logits.addGradient(logits, engine)
    }
  }

  /// Equation 1: 1 − cos(prediction, target) over a row's D values, mean over rows. Both [R, D]; the target is constant.
  public func cosineLoss(_ prediction: Tensor, target: Tensor) -> Loss {
    precondition(prediction.columns == target.columns && prediction.rows == target.rows)
    let width = prediction.columns
    let rowCount = prediction.rows
    // Each row's 1 / |prediction|, 1 / |target| and cosine.
    let statistics = Tensor(rows: rowCount, columns: 3, values: engine.memory.take(3 * rowCount))
    let value = withMatrices(prediction, target, statistics) { x, targets, statistics in
      mean(over: rowCount, cost: width) { r in
        let (p, t, notes) = (x.row(r), targets.row(r), statistics.row(r))
        let a = 1 / max(pmae_dot(p, p, width).squareRoot(), 1e-8)
        let b = 1 / max(pmae_dot(t, t, width).squareRoot(), 1e-8)
        let cosine = pmae_dot(p, t, width) * a * b
        (notes[0], notes[1], notes[2]) = (Float(a), Float(b), Float(cosine))
        return 1 - cosine
      }
    }
    return Loss(value: value) { [engine] weight in
      guard prediction.tracksGradient else { return }
      let (d, isFirst) = prediction.gradientSink(engine)
      let factor = weight / Float(rowCount)
      engine.rows(over: prediction, target, d, statistics, cost: width, as: .losses, values: 3 * prediction.count) {
        x, target, d, statistics, rows in
        for r in rows {
          let s = statistics.row(r)
          // d cos / d p = t / (|p| |t|) − cos · p / |p|²
          pmae_axpby(-factor * s[0] * s[1], target.row(r), isFirst ? 0 : 1, d.row(r), width)
          pmae_axpy(factor * s[2] * s[0] * s[0], x.row(r), d.row(r), width)
        }
      }
    }
  }

  /// Mean over all values of (prediction − target)². Both [R, D]; the target is constant.
  public func meanSquaredError(_ prediction: Tensor, target: Tensor) -> Loss {
    precondition(prediction.columns == target.columns && prediction.rows == target.rows)
    let width = prediction.columns
    let difference = Tensor(rows: prediction.rows, columns: width, values: engine.memory.take(prediction.count))
    let value = withMatrices(prediction, target, difference) { x, targets, difference in
      mean(over: x.rows, cost: width) { r in
        let d = difference.row(r)
        pmae_add_scaled(x.row(r), -1, targets.row(r), d, width)
        return pmae_dot(d, d, width) / Double(width)
      }
    }
    return Loss(value: value) { [engine] weight in
      guard prediction.tracksGradient else { return }
      let (d, isFirst) = prediction.gradientSink(engine)
      let factor = 2 * weight / Float(prediction.count)
      engine.rows(over: d, difference, cost: width, as: .losses, values: 2 * prediction.count) { d, difference, rows in
        for r in rows { pmae_axpby(factor, difference.row(r), isFirst ? 0 : 1, d.row(r), width) }
      }
    }
  }

  /// Each row to zero mean and unit (unbiased) variance, Equation 2. Constant: no gradient passes.
  public func standardiseRows(_ x: Tensor, epsilon: Float = 1e-6) -> Tensor {
    let y = Tensor(rows: x.rows, columns: x.columns, engine: engine)
    engine.rows(over: x, y, cost: x.columns, as: .losses, values: 2 * x.count) { x, y, rows in
      for r in rows { pmae_standardise(x.row(r), y.row(r), x.columns, epsilon, 1) }
    }
    return y
  }

  /// The mean of a function of rows, computed on all threads, added up from the first row to the last.
  private func mean(over rows: Int, cost: Int, _ function: (Int) -> Double) -> Double {
    precondition(rows > 0, "a loss over no rows")
    return sum(over: rows, cost: cost, function) / Double(rows)
  }

  /// The sum of a function of rows, computed on all threads, added up from the first row to the last.
  func sum(over rows: Int, cost: Int, _ function: (Int) -> Double) -> Double {
    let each = [Double](unsafeUninitializedCapacity: rows) { buffer, count in
      let out = buffer
      engine.rows(rows, cost: cost, as: .losses, values: 2 * rows * cost) { range in
        for r in range { out[r] = function(r) }
      }
      count = rows
    }
    return each.reduce(0, +)
  }
}
