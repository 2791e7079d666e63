import Foundation

/// What a classifier says of one image: its most probable classes.
public struct Prediction: Equatable, Sendable {
  /// The most probable first. Of equal logits the lower class is first.
  public let classes: [Int32]
  /// The softmax over all classes, of these; or their sigmoids.
  public let probabilities: [Double]

  /// - Parameters:
  ///   - logits: a class each, finite.
  ///   - top: how many classes are kept, 1 to as many as there are.
  ///   - isSigmoid: whether each class has a probability of its own.
  public init(logits: [Float], top: Int, isSigmoid: Bool = false) {
    precondition((1...max(1, logits.count)).contains(top), "\(top) of \(logits.count) classes")
    // Few are kept of perhaps many thousand: each has its place among the best so far.
    var best: [Int] = []
    for (label, logit) in logits.enumerated() {
      if best.count == top {
        if logit <= logits[best[top - 1]] { continue }
        best.removeLast()
      }
      best.insert(label, at: best.lastIndex { logits[$0] >= logit }.map { $0 + 1 } ?? 0)
    }
    let greatest = Double(logits[best[0]])
    let sum = logits.reduce(0.0) { $0 + exp(Double($1) - greatest) }
    classes = best.map { Int32($0) }
    probabilities = best.map {
      isSigmoid ? 1 / (1 + exp(-Double(logits[$0]))) : exp(Double(logits[$0]) - greatest) / sum
    }
  }
}
