import Networks
import Settings
import TensorStream

/// Options of an objective that hides patches in blocks.
public protocol BlockMaskOptions: MaskOptions {
  /// The least area of a block, in patches.
  var maskLeast: Int { get set }
}

extension BlockMaskOptions {
  public static var leastSetting: Setting<Self> {
    .whole("mask-least", \.maskLeast, "Least area of a masked block, in patches.")
  }

  /// How many patches blocks hide of so many.
  public func hidden(of patches: Int) -> Int { Int((maskRatio * Double(patches)).rounded(.toNearestOrEven)) }

  /// Throws `Failure(.usage)` where no patch is visible, or none masked.
  public func validateBlocks(_ encoder: EncoderConfiguration) throws {
    let hidden = hidden(of: encoder.patches)
    if hidden < 1 || hidden >= encoder.patches {
      throw Failure(
        .usage,
        "a mask-ratio of \(maskRatio) masks \(hidden) of \(encoder.patches) patches: at least one must be masked, and one visible"
      )
    }
    if maskLeast < 1 { throw Failure(.usage, "mask-least must be at least 1, not \(maskLeast)") }
    if maskLeast > encoder.patches {
      throw Failure(
        .usage,
        "mask-least is \(maskLeast), but an image has \(encoder.patches) patches: no block of it can be so large")
    }
    if encoder.grid < 2 {
      throw Failure(.usage, "an image of \(encoder.grid) by \(encoder.grid) patches has no blocks to mask")
    }
  }
}
