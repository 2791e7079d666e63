import Networks
import Settings
import TensorStream

/// What an objective can be told, with its defaults.
public protocol ObjectiveOptions: DeclaredOptions {
  /// Throws `Failure(.usage)` for what the bounds of single settings do not cover.
  func validate(for encoder: EncoderConfiguration) throws
  /// Throws `Failure(.usage)` for what does not go together with a run's other options.
  static func validate(_ configuration: Configuration<Self>) throws
}

extension ObjectiveOptions {
  public func validate(for encoder: EncoderConfiguration) throws {}
  public static func validate(_ configuration: Configuration<Self>) throws {}
}

/// Options that have MAE's decoder.
public protocol DecoderOptions: ObjectiveOptions {
  var decoder: DecoderConfiguration { get set }
}

extension DecoderOptions {
  /// The decoder's settings.
  public static var decoderSettings: [Setting<Self>] {
    [
      .whole("decoder-width", at: ["decoder", "width"], \.decoder.width, "Width of the decoder."),
      .whole("decoder-depth", at: ["decoder", "depth"], \.decoder.depth, "Blocks of the decoder."),
      .whole("decoder-heads", at: ["decoder", "heads"], \.decoder.heads, "Attention heads of the decoder."),
    ]
  }
}

/// Options that mask patches.
public protocol MaskOptions: ObjectiveOptions {
  /// The share of the patches that is masked.
  var maskRatio: Double { get set }
}

extension MaskOptions {
  public static var maskSetting: Setting<Self> {
    .number("mask-ratio", \.maskRatio, .part, "Share of the patches that is masked.")
  }

  /// V, patches that the student sees: ⌊N (1 − mask ratio)⌋ (§3.1).
  public func visible(of patches: Int) -> Int { Int(Double(patches) * (1 - maskRatio)) }

  /// Throws `Failure(.usage)` where no patch is visible, or none masked.
  public func validateMask(patches: Int) throws {
    let visible = visible(of: patches)
    if visible < 1 || visible >= patches {
      throw Failure(
        .usage,
        "a mask-ratio of \(maskRatio) leaves \(visible) of \(patches) patches visible and masks \(patches - visible): both must be at least 1"
      )
    }
  }
}
