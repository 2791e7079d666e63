import Autodiff
import Networks
import TensorStream

/// What decides the training of a segmentation, beside what every task has.
public struct SegmentationTraining: Codable, Equatable, Sendable {
  public var network: SegmentationConfiguration
  /// Steps over which the factor of the poly schedule rises.
  public var warmupSteps: Int
  /// The weight of the auxiliary head's loss.
  public var auxiliaryWeight = 0.4
  /// What the losses are divided by.
  public var average = PixelAverage.all

  public init(_ network: SegmentationConfiguration, warmupSteps: Int) {
    (self.network, self.warmupSteps) = (network, warmupSteps)
  }

  /// Throws `Failure(.usage)` on the first thing that cannot be, by the option's name.
  public func validate(encoder: EncoderConfiguration) throws {
    try network.validate(depth: encoder.depth)
    if !(0...1 << 30 ~= warmupSteps) { throw Failure(.usage, "warmup-steps must be 0 or more, not \(warmupSteps)") }
    if !(auxiliaryWeight >= 0 && auxiliaryWeight.isFinite) {
      throw Failure(.usage, "aux-weight must be 0 or more, not \(auxiliaryWeight)")
    }
  }
}
