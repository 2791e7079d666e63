import Compute
import Parallel

/// What is said of a classifier's verdicts, each figure with the interval that the bootstrap gives.
public struct ClassificationFigures: Sendable {
  /// `top1`, `top5`, `loss`, `balanced_accuracy`, `macro_f1`, `mcc` and `ece`.
  public let whole: [Figure]
  /// For each class with an image or a prediction: `recall`, `precision` and `f1`; one that is not defined is left out.
  public let classes: [(label: Int, images: Int, predicted: Int, figures: [Figure])]
  /// For each bin of confidence with an image: `accuracy`, and the mean `confidence`.
  public let bins: [(range: Range<Double>, images: Int, confidence: Double, accuracy: Figure)]
  /// How often a class was said of images of a class, where that is above 0: by label, then by prediction.
  public let confusion: [(label: Int, predicted: Int, images: Int)]

  private static let names = ["top1", "top5", "loss", "balanced_accuracy", "macro_f1", "mcc", "ece"]
  private static let classNames = ["recall", "precision", "f1"]

  /// - Parameters:
  ///   - verdicts: at least one.
  ///   - classes: above every label and prediction.
  ///   - isDetailed: whether figures of classes and of bins have intervals too.
  public init(
    _ verdicts: [Verdict], classes count: Int, bootstrap: Bootstrap, isDetailed: Bool, threads: ThreadPool
  ) {
    precondition(!verdicts.isEmpty)
    let bins = ConfidenceBins.count
    let figures = Self.names.count + (isDetailed ? Self.classNames.count * count + bins : 0)
    func compute(_ times: (Int) -> Double, _ out: UnsafeMutableBufferPointer<Double>) -> (ClassCounts, ConfidenceBins) {
      var (counts, confidence) = (ClassCounts(classes: count), ConfidenceBins())
      var (first, five, loss) = (0.0, 0.0, 0.0)
      for (place, verdict) in verdicts.enumerated() {
        let times = times(place)
        if times == 0 { continue }
        counts.add(verdict, times: times)
        confidence.add(verdict, times: times)
        if verdict.rank < 1 { first += times }
        if verdict.rank < 5 { five += times }
        loss += times * verdict.loss
      }
      let whole = [
        first / counts.total, five / counts.total, loss / counts.total, counts.balancedAccuracy, counts.macroF1,
        counts.correlation, confidence.error,
      ]
      for (place, value) in whole.enumerated() { out[place] = value }
      if figures > whole.count {
        for label in 0..<count {
          let own = whole.count + Self.classNames.count * label
          (out[own], out[own + 1], out[own + 2]) = (counts.recall(label), counts.precision(label), counts.f1(label))
        }
        for bin in 0..<bins { out[figures - bins + bin] = confidence.accuracy(bin) }
      }
      return (counts, confidence)
    }

    var values = [Double](repeating: .nan, count: figures)
    let (counts, confidence) = values.withUnsafeMutableBufferPointer { compute({ _ in 1 }, $0) }
    let intervals = bootstrap.intervals(rows: verdicts.count, figures: figures, threads: threads) { drawn, out in
      _ = compute({ Double(drawn[$0]) }, out)
    }
    whole = Self.names.enumerated().map { Figure($1, values[$0], intervals[$0]) }
    self.classes = (0..<count).compactMap { label in
      let (images, predicted) = (Int(counts.labelled[label]), Int(counts.predicted[label]))
      if images + predicted == 0 { return nil }
      let own = Self.names.count + Self.classNames.count * label
      let figures = zip(
        Self.classNames, [counts.recall(label), counts.precision(label), counts.f1(label)]
      ).enumerated().compactMap { place, figure in
        figure.1.isFinite ? Figure(figure.0, figure.1, isDetailed ? intervals[own + place] : nil) : nil
      }
      return (label, images, predicted, figures)
    }
    self.bins = (0..<bins).compactMap { bin in
      let images = Int(confidence.images[bin])
      if images == 0 { return nil }
      let interval = isDetailed ? intervals[figures - bins + bin] : nil
      return (
        Double(bin) / Double(bins)..<Double(bin + 1) / Double(bins), images, confidence.confidence(bin),
        Figure("accuracy", confidence.accuracy(bin), interval)
      )
    }
    let pairs = Dictionary(grouping: verdicts) { Int($0.label) * count + Int($0.predicted) }
    confusion = pairs.map { ($0.key / count, $0.key % count, $0.value.count) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { (label: $0.0, predicted: $0.1, images: $0.2) }
  }
}
