import Autodiff
import Compute
import Networks
import Schemas

/// What a classifier is to say of some images: a class each, or a set of classes; of mixed images, those of another image
/// too.
public struct ClassTargets {
  public let labels: [Int32]
  /// What labels stand for, where they are sets of classes.
  private let sets: LabelSets?
  /// The other image's label, and how much of the image is its own; nil where nothing is mixed.
  private var others: (labels: [Int32], shares: [Double])?

  /// - Parameter sets: nil where a label is a class.
  public init(labels: [Int32], sets: LabelSets? = nil) { (self.labels, self.sets) = (labels, sets) }

  /// Mixed with those of a part of as many images, which is turned round: the first with the last.
  public func mixed(with other: ClassTargets, by mixes: [ImageMix]) -> ClassTargets {
    var result = self
    result.others = (other.labels.reversed(), mixes.map(\.share))
    return result
  }

  /// [B, C]: of a class, (1 − ε) at it and ε / C at every class; of a set, each class is moved towards 1/2 by ε, as timm
  /// does it. Of mixed images, the (1 − ε) are shared out.
  public func tensor(classes: Int, smoothing: Double, engine: Engine) -> Tensor {
    let targets = Tensor(rows: labels.count, columns: classes, values: engine.memory.take(labels.count * classes))
    let rest = sets == nil ? smoothing / Double(classes) : smoothing / 2
    targets.withValues { $0.update(repeating: Float(rest)) }
    for (row, label) in labels.enumerated() {
      let share = others?.shares[row] ?? 1
      let other = others.map { members(of: $0.labels[row]) } ?? []
      for place in members(of: label) { targets[row, place] = Float((1 - smoothing) * share + rest) }
      for place in other { targets[row, place] += Float((1 - smoothing) * (1 - share)) }
    }
    return targets
  }

  private func members(of label: Int32) -> [Int] { sets?.members[Int(label)] ?? [Int(label)] }

  /// The share of the images of which the right class was said; of mixed ones either counts by its share. Nil for sets.
  func accuracy(of said: [Int32]) -> Double? {
    if sets != nil { return nil }
    var correct = 0.0
    for (row, answer) in said.enumerated() {
      let share = others?.shares[row] ?? 1
      if answer == labels[row] { correct += share }
      if let others, answer == others.labels[row] { correct += 1 - share }
    }
    return correct / Double(said.count)
  }
}
