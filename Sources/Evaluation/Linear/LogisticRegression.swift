import Compute
import TensorStream
import Training

/// Multinomial logistic regression on some features: the weights that make Σ cross-entropy + λ/2 ‖W‖² least. The intercepts are not penalised. It is scikit-learn's `LogisticRegression` with C = 1 / λ. Two classes are the one logistic
/// curve that scikit-learn makes of them: W holds −w/2 and w/2, and the penalty is that of w.
///
/// The optimiser is L-BFGS (Nocedal & Wright, chapter 7) with two changes. Its first guess of the inverse Hessian comes from the
/// features' covariance (Böhning 1992), so that it needs tens of steps where it would need hundreds. And since logits are linear
/// along a line, a line search needs no product of matrices: each step is one product with the features and one with their transpose.
///
/// Products are float32; sums over rows, weights and the optimiser's own vectors are double. The last steps of a small problem are
/// double throughout, as scikit-learn's are. Blocks of rows depend on the shapes
/// alone: the bits are the same for any number of threads.
public final class LogisticRegression {
  /// K.
  public let classes: Int
  /// D.
  public let width: Int
  /// n.
  public let rows: Int

  let engine: Engine
  let labels: [Int32]
  /// Of the features, in float32, which are taken off.
  private let mean: [Float]
  /// [n, D], less the mean.
  let features: Buffer
  private lazy var covariance = Covariance(features, rows: rows, width: width, engine: engine)
  /// [n, K] each: logits, those at the end of a step, how they change along the line, and probabilities less labels.
  var (logits, nextLogits): (Buffer, Buffer)
  let (slopes, residuals): (Buffer, Buffer)

  /// - Parameters:
  ///   - labels: a class each, from 0 to below `classes`.
  ///   - classes: at least 2, each with a row.
  /// - Throws: `Failure(.data)` where the work needs more than this machine's memory.
  public init(_ features: Features, labels: [Int32], classes: Int, engine: Engine) throws {
    precondition(labels.count == features.count && classes >= 2)
    (rows, width, self.classes) = (features.count, features.width, classes)
    (self.labels, self.engine) = (labels, engine)
    try Features.requireRoom(count: rows, width: width + 4 * classes, source: "logistic regression")
    let mean = FeatureScaling(features, engine: engine).mean.map(Float.init)
    self.mean = mean
    let centred = engine.memory.take(rows * width)
    let (count, width) = (rows, width)
    features.values.withUnsafeBufferPointer { values in
      mean.withUnsafeBufferPointer { mean in
        nonisolated(unsafe) let (values, mean) = (values, mean)
        let matrix = centred.matrix(rows: count, columns: width)
        engine.rows(count, cost: width) { rows in
          for r in rows { for c in 0..<width { matrix.row(r)[c] = values[r * width + c] - mean[c] } }
        }
      }
    }
    self.features = centred
    let values = rows * classes
    (logits, nextLogits) = (engine.memory.take(values), engine.memory.take(values))
    (slopes, residuals) = (engine.memory.take(values), engine.memory.take(values))
  }

  /// - Parameters:
  ///   - penalty: λ, above 0.
  ///   - start: weights to begin from, those of another λ; nil for zero.
  ///   - tolerance: how far, about, the objective may be from the least, as a share of it.
  ///   - onStep: called after each step; returning true gives up: the result is nil.
  public func fit(
    penalty: Double, from start: LogisticModel? = nil, tolerance: Double = 1e-12, limit: Int = 1000,
    onStep: () -> Bool = { false }
  ) -> LogisticModel? {
    precondition(penalty > 0 && penalty.isFinite)
    // ‖W‖² is half of ‖w‖² where W holds −w/2 and w/2.
    let penalty = classes == 2 ? 2 * penalty : penalty
    var point = start.map(centred) ?? LogisticModel(classes: classes, width: width)
    setLogits(of: point)
    var place = along(0, penalty: penalty, from: point, direction: nil)
    var gradient = self.gradient(of: point, penalty: penalty)
    let metric = covariance.metric(spread: place.spread, penalty: penalty, rows: rows, classes: classes)
    var memory = LimitedMemory(metric)
    point.iterations = 0
    point.hasConverged = false
    while point.iterations < limit {
      let step = memory.direction(for: gradient)
      let decrement = -dot(step, gradient)
      // Newton's decrement: twice what the objective would still fall by, were it the quadratic that the metric makes of it.
      if decrement <= 2 * tolerance * place.value {
        point.hasConverged = true
        break
      }
      setSlopes(of: step)
      guard let found = search(from: place, point, direction: step, slope: -decrement, penalty: penalty) else {
        // The line does not fall any more by what float32 can see.
        if memory.isEmpty {
          point.hasConverged = true
          break
        }
        memory.forget()
        continue
      }
      point.move(by: found.step, along: step)
      place = found.place
      swap(&logits, &nextLogits)
      point.iterations += 1
      if point.iterations % 32 == 0 {
        // Rounding of many steps would add up.
        setLogits(of: point)
        place = along(0, penalty: penalty, from: point, direction: nil)
      }
      let next = self.gradient(of: point, penalty: penalty)
      memory.add(step: step.map { $0 * found.step }, change: zip(next, gradient).map { $0 - $1 })
      gradient = next
      if onStep() { return nil }
    }
    point.objective = place.value
    // What float32 sees is enough for a tolerance that is coarser.
    if point.hasConverged && tolerance < Double(Float.ulpOfOne) { finish(&point, memory, penalty: penalty) }
    return uncentred(point)
  }

  // MARK: Products

  private func setLogits(of point: LogisticModel) {
    product(of: point.weights, intercepts: point.intercepts[...], into: logits)
  }

  private func setSlopes(of step: [Double]) {
    product(of: step, intercepts: step[(classes * width)...], into: slopes)
  }

  /// X Wᵀ + b.
  private func product(of weights: [Double], intercepts: ArraySlice<Double>, into target: Buffer) {
    let (n, k, d, features) = (rows, classes, width, features)
    let factor = engine.memory.take(k * d)
    factor.withValues { values in for i in 0..<k * d { values[i] = Float(weights[i]) } }
    let matrix = target.matrix(rows: n, columns: k)
    engine.multiply(
      features.matrix(rows: n, columns: d), factor.matrix(rows: k, columns: d), into: matrix, transposing: .right)
    let b = intercepts.map(Float.init)
    b.withUnsafeBufferPointer { b in
      nonisolated(unsafe) let b = b
      engine.rows(n, cost: k) { rows in
        for r in rows { for c in 0..<k { matrix.row(r)[c] += b[c] } }
      }
    }
  }

  /// (P − Y)ᵀ X + λ W, and after it the sums of P − Y. Parts of rows are float32 products, their sum is double.
  private func gradient(of point: LogisticModel, penalty: Double) -> [Double] {
    let (n, k, d, part) = (rows, classes, width, 4096)
    let (features, residuals) = (features, residuals)
    var gradient = point.weights.map { penalty * $0 } + [Double](repeating: 0, count: k)
    let partial = engine.memory.take(k * d)
    for start in stride(from: 0, to: n, by: part) {
      let rows = start..<min(n, start + part)
      engine.multiply(
        residuals.matrix(rows: n, columns: k).rows(rows), features.matrix(rows: n, columns: d).rows(rows),
        into: partial.matrix(rows: k, columns: d), transposing: .left)
      partial.withValues { values in for i in 0..<k * d { gradient[i] += Double(values[i]) } }
    }
    residuals.withValues { values in
      for r in 0..<n { for c in 0..<k { gradient[k * d + c] += Double(values[r * k + c]) } }
    }
    // Over classes a gradient sums to zero. What rounding leaves of a sum would move all classes together, which nothing holds back.
    for (start, step, count) in [(0, d, d), (k * d, 1, 1)] {
      for i in start..<start + count {
        var sum = 0.0
        for c in 0..<k { sum += gradient[i + c * step] }
        for c in 0..<k { gradient[i + c * step] -= sum / Double(k) }
      }
    }
    return gradient
  }

  // MARK: The features' mean

  /// The model of features without their mean: the intercepts take what it gives.
  private func centred(_ model: LogisticModel) -> LogisticModel { shifted(model, by: 1) }
  private func uncentred(_ model: LogisticModel) -> LogisticModel { shifted(model, by: -1) }

  private func shifted(_ model: LogisticModel, by sign: Double) -> LogisticModel {
    var model = model
    for c in 0..<classes {
      var sum = 0.0
      for i in 0..<width { sum += model.weights[c * width + i] * Double(mean[i]) }
      model.intercepts[c] += sign * sum
    }
    return model
  }
}

extension LogisticModel {
  mutating func move(by step: Double, along direction: [Double]) {
    for i in weights.indices { weights[i] += step * direction[i] }
    for i in intercepts.indices { intercepts[i] += step * direction[weights.count + i] }
  }
}
