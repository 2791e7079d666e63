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

/// Published settings of ADE20K by their names: peak rates for a batch of 16. All have AdamW (0.9, 0.999), a decay of 0.05, layer decay 0.65,
/// drop path 0.1, 1,500 steps of warm-up and 160,000 steps of poly.
public enum SegmentationPreset: String, CaseIterable, Sendable {
  /// Nandam et al., appendix A: "the settings detailed in SdAE", with a rate of 4e-4.
  case paper = "ade20k-paper"
  /// iBOT's configurations: 8e-5.
  case ibot = "ade20k-ibot"
  /// CAE's table: 2e-4, of a range from 1e-4 to 3e-4.
  case cae = "ade20k-cae"
  /// mmsegmentation's upernet_mae-base_fp16_8x2_512x512_160k_ade20k.py: 1e-4.
  case mae = "ade20k-mae"

  /// For a batch of 16.
  public var learningRate: Double {
    switch self {
    case .paper: 4e-4
    case .ibot: 8e-5
    case .cae: 2e-4
    case .mae: 1e-4
    }
  }
}
