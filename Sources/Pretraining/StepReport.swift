import Foundation

/// What a step did, for metrics and progress.
public struct StepReport: Sendable {
  /// Steps taken, this one included.
  public let step: Int
  /// The epoch it belongs to, from 0.
  public let epoch: Int
  public let loss: Double
  public let m: Double
  public let c: Double?
  public let p: Double?
  public let learningRate: Double
  public let labelMomentum: Double?
  public let reconstructionMomentum: Double?
  /// How the labels are; nil where none were made.
  public let health: LabelHealth?
  /// Between the student's tokens and the labelling teacher's.
  public let cosine: Double?
  /// The schedules of labels, where one is asked for.
  public let labelWeight: Double?
  public let teacherTemperature: Double?
  /// What the step took, the wait for its views included.
  public let seconds: Double
  public let imagesPerSecond: Double

  /// What metrics.jsonl and TensorBoard say of the step, under the same names.
  public var figures: [(name: String, value: Double)] {
    let all: [(name: String, value: Double?)] = [
      ("loss", loss), ("loss_m", m), ("loss_c", c), ("loss_p", p), ("lr", learningRate),
      ("label_momentum", labelMomentum), ("reconstruction_momentum", reconstructionMomentum),
      ("entropy_c", health?.entropyC), ("entropy_p", health?.entropyP), ("used_c", health?.usedC),
      ("used_p", health?.usedP), ("cosine_teacher", cosine), ("label_weight", labelWeight),
      ("teacher_temperature", teacherTemperature),
      ("images_per_second", (imagesPerSecond * 100).rounded() / 100),
    ]
    return all.compactMap { name, value in value.map { (name, $0) } }
  }

  /// A line of metrics.jsonl; nine digits tell any two float32 values apart.
  var json: String {
    let numbers = figures.map { ",\"\($0.name)\":" + String(format: "%.9g", $0.value) }
    return "{\"step\":\(step),\"epoch\":\(epoch)" + numbers.joined() + "}"
  }
}
