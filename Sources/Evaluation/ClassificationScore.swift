import CKernels
import Foundation
import Networks
import TensorStream
import Training

/// What a classifier said of one image.
public struct Verdict: Equatable, Sendable {
  /// What the image is: from 0 to below the number of classes.
  public let label: Int32
  /// The class with the greatest logit; of equals the lower.
  public let predicted: Int32
  /// How many classes score higher than the label.
  public let rank: Int
  /// −log of the label's probability.
  public let loss: Double
  /// The probability of the predicted class.
  public let confidence: Double
}

/// How well logits fit labels, added up image by image.
public struct ClassificationScore: Sendable {
  /// One an image, in their order.
  public private(set) var verdicts: [Verdict] = []
  private var first = 0
  private var amongFive = 0
  private var sum = 0.0

  public init() {}

  public var images: Int { verdicts.count }
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
    let rank = rankOf(label, in: logits)
    if rank < 1 { first += 1 }
    if rank < 5 { amongFive += 1 }
    let greatest = Double(logits.max() ?? 0)
    let total = logits.reduce(0.0) { $0 + exp(Double($1) - greatest) }
    let loss = log(total) + greatest - Double(logits[label])
    sum += loss
    verdicts.append(
      Verdict(
        label: Int32(label), predicted: Int32(logits.firstIndex { Double($0) == greatest } ?? 0), rank: rank,
        loss: loss,
        confidence: 1 / total))
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
