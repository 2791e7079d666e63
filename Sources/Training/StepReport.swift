import Foundation

/// What a step did, for metrics and progress.
public struct StepReport: Sendable {
  /// Steps taken, this one included.
  public let step: Int
  /// The epoch it belongs to, from 0.
  public let epoch: Int
  public let losses: StepLosses
  public let learningRate: Double
  /// What moved after the optimiser: momenta of teachers, for example.
  public let moved: [Figure]
  /// What the step took, the wait for its batch included.
  public let seconds: Double
  public let imagesPerSecond: Double

  public var loss: Double { losses.loss }

  /// The value of a figure of the step; nil where it has none of that name.
  public subscript(name: String) -> Double? { figures.first { $0.name == name }?.value }

  /// What metrics.jsonl and TensorBoard say of the step, under the same names.
  public var figures: [Figure] {
    [Figure("loss", losses.loss)] + losses.terms + [Figure("lr", learningRate)] + moved + losses.watched
      + [Figure("images_per_second", (imagesPerSecond * 100).rounded() / 100)]
  }

  /// A line of metrics.jsonl; nine digits tell any two float32 values apart.
  public var json: String {
    let numbers = figures.map { ",\"\($0.name)\":" + String(format: "%.9g", $0.value) }
    return "{\"step\":\(step),\"epoch\":\(epoch)" + numbers.joined() + "}"
  }

  /// What a progress line says beside the count: `epoch 3 loss 0.1234 m 0.1000 …`.
  public var summary: String {
    let shown = ([Figure("loss", losses.loss)] + losses.terms).map { figure in
      let name = figure.name.hasPrefix("loss_") ? String(figure.name.dropFirst(5)) : figure.name
      return "\(name) " + String(format: "%.4f", figure.value)
    }
    return "epoch \(epoch) " + shown.joined(separator: " ") + String(format: " %.0f images/s", imagesPerSecond)
  }
}
