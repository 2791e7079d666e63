import Compute
import TensorStream
import Training

/// Linear evaluation: logistic regression on features, with the penalty that is best on rows held out of those that it learns from.
public struct LinearEvaluation {
  /// What one penalty gave on the rows held out, in the mean of all parts.
  public struct Trial: Equatable, Sendable {
    /// λ.
    public let penalty: Double
    public let top1: Double
    public let loss: Double
    public let iterations: Int
  }

  /// How the penalty is chosen.
  public struct Options: Sendable {
    /// λ, each above 0. Of several the best is chosen; one is taken as it is.
    public var penalties: [Double] = [0.01, 0.1, 1, 10, 100, 1000, 10_000]
    /// The share of each class that is held out.
    public var heldOut = 0.2
    public var seed: UInt64 = 0
    /// Of the last fit: see `LogisticRegression.fit`.
    public var tolerance = 1e-7

    public init() {}
  }

  /// From the greatest penalty to the least; empty where there was no choice.
  public let trials: [Trial]
  /// λ.
  public let penalty: Double
  /// Learnt from all rows.
  public let model: LogisticModel
  /// The label of each of the model's classes, ascending.
  public let labels: [Int32]

  /// - Parameters:
  ///   - bank: features with labels, of at least two classes.
  ///   - onStep: called after each step of the optimiser; returning true gives up: the result is nil.
  /// - Throws: `Failure` where there is one class, nothing can be held out, or memory does not suffice.
  public init?(
    _ bank: Features, _ options: Options, source: String, engine: Engine, onStep: @escaping () -> Bool = { false }
  ) throws {
    labels = Set(bank.labels).sorted()
    let labels = labels
    guard labels.count >= 2 else {
      throw Failure(.data, "\(source): all labels are \(labels[0]): a classifier needs two classes")
    }
    let place = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, Int32($0)) })
    func regression(_ rows: Features) throws -> LogisticRegression {
      try LogisticRegression(
        rows, labels: rows.labels.compactMap { place[$0] }, classes: labels.count, engine: engine)
    }

    var start: LogisticModel?
    if options.penalties.count > 1 {
      let found = try Self.trials(bank, options, source: source, onStep: onStep, regression)
      guard let found else { return nil }
      trials = found.trials
      (penalty, start) = (trials[found.best].penalty, found.model)
    } else {
      (trials, penalty) = ([], options.penalties[0])
    }
    let found = try regression(bank).fit(
      penalty: penalty, from: start, tolerance: options.tolerance, onStep: onStep)
    guard let found else { return nil }
    model = found
  }

  /// What each penalty gave, and the model that the chosen one gave on what one part left. A part of few rows says little: there are
  /// then several, each drawn anew, and their mean loss decides.
  private static func trials(
    _ bank: Features, _ options: Options, source: String, onStep: @escaping () -> Bool,
    _ regression: (Features) throws -> LogisticRegression
  ) throws -> (trials: [Trial], best: Int, model: LogisticModel)? {
    let labels = Set(bank.labels).sorted()
    let penalties = options.penalties.sorted(by: >)
    var sums = penalties.map { _ in (top1: 0.0, loss: 0.0, iterations: 0) }
    var models: [LogisticModel] = []
    var (part, parts) = (0, 1)
    while part < parts {
      let (kept, heldOut) = LabelledRows.split(
        bank.labels, share: options.heldOut, seed: options.seed ^ UInt64(part) << 48)
      guard !heldOut.isEmpty else {
        throw Failure(
          .data, "\(source): has one image of each class, so none can be held out: choose one penalty with --lambda")
      }
      parts = min(Self.mostParts, (Self.enoughRows + heldOut.count - 1) / heldOut.count)
      let problem = try regression(bank.rows(kept))
      let judged = bank.rows(heldOut)
      models = []
      for place in penalties.indices {
        // How good a penalty is shows long before the weights are exact.
        let found = problem.fit(penalty: penalties[place], from: models.last, tolerance: 1e-4, onStep: onStep)
        guard let found else { return nil }
        let score = try found.score(on: judged, labels: labels, source: source, engine: problem.engine)
        sums[place].top1 += score.top1
        sums[place].loss += score.loss
        sums[place].iterations += found.iterations
        models.append(found)
      }
      part += 1
    }
    let trials = zip(penalties, sums).map { penalty, sum in
      Trial(
        penalty: penalty, top1: sum.top1 / Double(parts), loss: sum.loss / Double(parts), iterations: sum.iterations)
    }
    // Accuracies of a few hundred rows tie, and their order is chance where the losses' is not.
    let best = trials.indices.min { trials[$0].loss < trials[$1].loss } ?? 0
    return (trials, best, models[best])
  }

  /// So many rows, held out in all, decide between penalties, or so many parts.
  private static let enoughRows = 1000
  private static let mostParts = 5
}

extension LogisticModel {
  /// Logits [n, K] of some features.
  public func logits(of features: Features, engine: Engine) -> [Float] {
    precondition(features.width == width)
    let (n, k, d) = (features.count, classes, width)
    let product = engine.memory.take(n * k)
    let factor = engine.memory.take(k * d)
    factor.withValues { values in for i in values.indices.prefix(k * d) { values[i] = Float(weights[i]) } }
    let matrix = product.matrix(rows: n, columns: k)
    features.values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      // The product only reads it.
      let pointer = UnsafeMutablePointer(mutating: base)
      engine.multiply(
        Matrix(pointer, rows: n, columns: d), factor.matrix(rows: k, columns: d), into: matrix, transposing: .right)
    }
    var logits = [Float](repeating: 0, count: n * k)
    for r in 0..<n { for c in 0..<k { logits[r * k + c] = Float(Double(matrix.row(r)[c]) + intercepts[c]) } }
    return logits
  }

  /// How well the model's logits fit the labels of some features.
  /// - Parameter labels: of the model's classes.
  /// - Throws: `Failure(.data)` for a label that the model has no class for.
  public func score(
    on features: Features, labels: [Int32], source: String, engine: Engine
  ) throws -> ClassificationScore {
    let place = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
    let logits = logits(of: features, engine: engine)
    var score = ClassificationScore()
    try logits.withUnsafeBufferPointer { logits in
      for (row, label) in features.labels.enumerated() {
        guard let own = place[label] else {
          throw Failure(
            .data,
            "\(source): image \(features.names.picture(features.index[row], row: row)) has the label \(label), "
              + "which no image that was learnt from has")
        }
        score.add(UnsafeBufferPointer(rebasing: logits[row * classes..<(row + 1) * classes]), label: own)
      }
    }
    return score
  }
}
