import Foundation

/// What a step did, for metrics and progress.
public struct StepReport: Sendable {
  /// Steps taken, this one included.
  public let step: Int
  /// The epoch it belongs to, from 0.
  public let epoch: Int
  /// Cross-entropy with the smoothed labels, mean over the batch.
  public let loss: Double
  /// The share of the batch whose label had the greatest logit.
  public let accuracy: Double
  public let learningRate: Double
  /// What the step took, the wait for its views included.
  public let seconds: Double
  let batch: Int
  public var imagesPerSecond: Double { Double(batch) / seconds }

  /// A line of JSON; nine digits tell any two float32 values apart.
  public var json: String {
    func number(_ value: Double) -> String { String(format: "%.9g", value) }
    return "{\"step\":\(step),\"epoch\":\(epoch),\"loss\":\(number(loss)),\"accuracy\":\(number(accuracy)),"
      + "\"lr\":\(number(learningRate)),\"images_per_second\":\(number((imagesPerSecond * 100).rounded() / 100))}"
  }
}
