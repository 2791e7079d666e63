import Foundation
import Parallel

/// Scores of every class for every image, of which each is of a set of classes.
public struct SetScores: Sendable {
  public let classes: Int
  /// Logits, image by image [n, C].
  fileprivate private(set) var logits: [Float] = []
  /// Whether an image is of a class [n, C].
  fileprivate private(set) var isMember: [Bool] = []

  public init(classes: Int) { self.classes = classes }

  public var images: Int { logits.count / classes }

  /// - Parameters:
  ///   - logits: of an image, a class each, finite.
  ///   - members: the classes that it is of.
  public mutating func add(_ logits: [Float], members: [Int]) {
    precondition(logits.count == classes)
    let start = isMember.count
    self.logits += logits
    isMember += [Bool](repeating: false, count: classes)
    for own in members { isMember[start + own] = true }
  }
}

/// What is said of a classifier of sets, each figure with the interval that the bootstrap gives.
public struct SetFigures: Sendable {
  /// `map`, the mean over classes with an image of the average precision; `loss`, the binary cross-entropy, mean over images and
  /// classes; at a probability of 1/2 `micro_f1`, `macro_f1` over classes with an image or a prediction, and `exact`, the share of
  /// images whose set is right as a whole.
  public let whole: [Figure]
  /// For each class with an image or a prediction: `ap`, `recall`, `precision` and `f1`; one that is not defined is left out.
  public let classes: [(label: Int, images: Int, predicted: Int, figures: [Figure])]

  private static let names = ["map", "loss", "micro_f1", "macro_f1", "exact"]
  private static let classNames = ["ap", "recall", "precision", "f1"]

  /// - Parameters:
  ///   - scores: of at least one image.
  ///   - isDetailed: whether figures of classes have intervals too.
  public init(_ scores: SetScores, bootstrap: Bootstrap, isDetailed: Bool, threads: ThreadPool) {
    precondition(scores.images > 0)
    let (rows, count) = (scores.images, scores.classes)
    // Each class's images from the greatest logit down.
    let orders = (0..<count).map { label in
      (0..<rows).sorted { (scores.logits[$1 * count + label], $0) < (scores.logits[$0 * count + label], $1) }
    }
    let losses = (0..<rows).map { row in
      (row * count..<(row + 1) * count).reduce(0.0) { sum, place in
        let x = Double(scores.logits[place])
        return sum + max(x, 0) + log1p(exp(-abs(x))) - (scores.isMember[place] ? x : 0)
      } / Double(count)
    }
    let isExact = (0..<rows).map { row in
      (row * count..<(row + 1) * count).allSatisfy { (scores.logits[$0] > 0) == scores.isMember[$0] }
    }
    let figures = Self.names.count + (isDetailed ? Self.classNames.count * count : 0)

    func compute(_ times: (Int) -> Double, _ out: UnsafeMutableBufferPointer<Double>) -> [ClassCount] {
      let counts = (0..<count).map { ClassCount(scores, label: $0, order: orders[$0], times: times) }
      var (total, loss, exact) = (0.0, 0.0, 0.0)
      for row in 0..<rows {
        let times = times(row)
        total += times
        loss += times * losses[row]
        if isExact[row] { exact += times }
      }
      func mean(_ value: (ClassCount) -> Double) -> Double {
        let known = counts.map(value).filter(\.isFinite)
        return known.reduce(0, +) / Double(known.count)
      }
      func sum(_ value: (ClassCount) -> Double) -> Double { counts.reduce(0) { $0 + value($1) } }
      let whole = [
        mean(\.averagePrecision), loss / total, 2 * sum(\.right) / (sum(\.members) + sum(\.said)), mean(\.f1),
        exact / total,
      ]
      for (place, value) in whole.enumerated() { out[place] = value }
      if figures > whole.count {
        for (label, own) in counts.enumerated() {
          for (place, value) in own.figures.enumerated() {
            out[whole.count + Self.classNames.count * label + place] = value
          }
        }
      }
      return counts
    }

    var values = [Double](repeating: .nan, count: figures)
    let counts = values.withUnsafeMutableBufferPointer { compute({ _ in 1 }, $0) }
    let intervals = bootstrap.intervals(rows: rows, figures: figures, threads: threads) { drawn, out in
      _ = compute({ Double(drawn[$0]) }, out)
    }
    whole = Self.names.enumerated().map { Figure($1, values[$0], intervals[$0]) }
    classes = counts.enumerated().compactMap { label, own in
      if own.members + own.said == 0 { return nil }
      let first = Self.names.count + Self.classNames.count * label
      let figures = own.figures.enumerated().compactMap { place, value in
        value.isFinite ? Figure(Self.classNames[place], value, isDetailed ? intervals[first + place] : nil) : nil
      }
      return (label, Int(own.members), Int(own.said), figures)
    }
  }
}

/// How often a class is true and said, each image counted so often as a resample says.
private struct ClassCount {
  /// Images of it; those that it is said of, at a probability of 1/2; those of which both are true.
  private(set) var members = 0.0
  private(set) var said = 0.0
  private(set) var right = 0.0
  /// Σ (R_k − R_{k−1}) P_k over the thresholds, as scikit-learn has it: images of equal logits come in together. NaN without
  /// an image of the class.
  private(set) var averagePrecision = Double.nan

  init(_ scores: SetScores, label: Int, order: [Int], times: (Int) -> Double) {
    var (seen, hits, sum, before) = (0.0, 0.0, 0.0, 0.0)
    for (place, row) in order.enumerated() {
      let logit = scores.logits[row * scores.classes + label]
      let times = times(row)
      seen += times
      if scores.isMember[row * scores.classes + label] { hits += times }
      if logit > 0 { (said, right) = (seen, hits) }
      let isLast = place + 1 == order.count || scores.logits[order[place + 1] * scores.classes + label] != logit
      if isLast && hits > before {
        sum += (hits - before) * hits / seen
        before = hits
      }
    }
    members = hits
    if members > 0 { averagePrecision = sum / members }
  }

  var f1: Double { 2 * right / (members + said) }
  /// In the order of their names.
  var figures: [Double] { [averagePrecision, right / members, right / said, f1] }
}
