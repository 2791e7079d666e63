/// How often classes are right, said and true among some images, each counted so often as a resample says.
struct ClassCounts {
  /// Images of a class [K].
  private(set) var labelled: [Double]
  /// Images that a class was said of [K].
  private(set) var predicted: [Double]
  /// Images of a class that it was said of [K].
  private(set) var right: [Double]
  private(set) var total = 0.0

  init(classes: Int) {
    labelled = [Double](repeating: 0, count: classes)
    (predicted, right) = (labelled, labelled)
  }

  mutating func add(_ verdict: Verdict, times: Double) {
    let (label, said) = (Int(verdict.label), Int(verdict.predicted))
    labelled[label] += times
    predicted[said] += times
    if label == said { right[label] += times }
    total += times
  }

  /// The share of a class's images that it was said of; NaN where it has none.
  func recall(_ label: Int) -> Double { right[label] / labelled[label] }
  /// The share of images that a class was said of, and that it is; NaN where it was said of none.
  func precision(_ label: Int) -> Double { right[label] / predicted[label] }
  /// 2 · right / (labelled + predicted); NaN where the class is neither true nor said of any.
  func f1(_ label: Int) -> Double { 2 * right[label] / (labelled[label] + predicted[label]) }

  /// The mean recall of the classes that have images.
  var balancedAccuracy: Double { mean { self.recall($0) } }
  /// The mean F1 of the classes that have images or were said of one.
  var macroF1: Double { mean { self.f1($0) } }

  private func mean(_ value: (Int) -> Double) -> Double {
    var (sum, count) = (0.0, 0.0)
    for label in labelled.indices {
      let value = value(label)
      if value.isFinite { (sum, count) = (sum + value, count + 1) }
    }
    return sum / count
  }

  /// Matthews' correlation of labels and predictions, of any number of classes (Gorodkin 2004); 0 where one of the two is always the
  /// same.
  var correlation: Double {
    var (sum, both, said, known) = (0.0, 0.0, 0.0, 0.0)
    for label in labelled.indices {
      sum += right[label]
      both += predicted[label] * labelled[label]
      said += predicted[label] * predicted[label]
      known += labelled[label] * labelled[label]
    }
    let spread = (total * total - said) * (total * total - known)
    return spread > 0 ? (sum * total - both) / spread.squareRoot() : 0
  }
}

/// Images by how sure a classifier was of them: the bins of a reliability diagram (Guo et al. 2017), of equal width.
struct ConfidenceBins {
  /// 15, as that paper and torchmetrics have it.
  static let count = 15
  private(set) var images = [Double](repeating: 0, count: count)
  private var confidences = [Double](repeating: 0, count: count)
  private var right = [Double](repeating: 0, count: count)

  mutating func add(_ verdict: Verdict, times: Double) {
    let bin = min(Self.count - 1, max(0, Int(verdict.confidence * Double(Self.count))))
    images[bin] += times
    confidences[bin] += times * verdict.confidence
    if verdict.label == verdict.predicted { right[bin] += times }
  }

  /// NaN in an empty bin, as the next.
  func accuracy(_ bin: Int) -> Double { right[bin] / images[bin] }
  func confidence(_ bin: Int) -> Double { confidences[bin] / images[bin] }

  /// The expected calibration error: |accuracy − confidence|, the mean over images.
  var error: Double {
    let total = images.reduce(0, +)
    return (0..<Self.count).reduce(0.0) { $0 + abs(right[$1] - confidences[$1]) } / total
  }
}
