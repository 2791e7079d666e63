import CKernels
import Foundation
import Networks
import TensorStream
import Training

/// How well logits fit labels, added up batch by batch.
public struct ClassificationScore: Sendable {
  public private(set) var images = 0
  private var first = 0
  private var amongFive = 0
  private var sum = 0.0

  public init() {}

  /// The share of images whose label has the greatest logit. Of equal logits the one of the lower class counts as greater.
  public var top1: Double { Double(first) / Double(images) }
  /// The share of images whose label is among the five greatest.
  public var top5: Double { Double(amongFive) / Double(images) }
  /// Cross-entropy, mean over images.
  public var loss: Double { sum / Double(images) }

  /// - Parameters:
  ///   - logits: one image's, a class each.
  ///   - label: from 0 to below the number of classes.
  public mutating func add(_ logits: UnsafeBufferPointer<Float>, label: Int) {
    images += 1
    let rank = rankOf(label, in: logits)
    if rank < 1 { first += 1 }
    if rank < 5 { amongFive += 1 }
    let greatest = Double(logits.max() ?? 0)
    sum += log(logits.reduce(0.0) { $0 + exp(Double($1) - greatest) }) + greatest - Double(logits[label])
  }
}

/// How many classes score higher than one of them; of equals the lower class counts as higher.
func rankOf<Scores: RandomAccessCollection>(_ label: Int, in scores: Scores) -> Int
where Scores.Element: BinaryFloatingPoint, Scores.Index == Int {
  let own = scores[label]
  var rank = 0
  for (i, score) in scores.enumerated() where score > own || score == own && i < label { rank += 1 }
  return rank
}
