// What erased pixels and the corners of turned pictures are made of: the mean and deviation that training will normalise by.

/// Mean and standard deviation of each channel, of values in 0...1.
public struct ChannelStatistics: Sendable, Equatable {
  public var mean: [Double]
  public var std: [Double]

  /// Precondition: as many of each, 1 or 3.
  public init(mean: [Double], std: [Double]) {
    precondition(mean.count == std.count && (mean.count == 1 || mean.count == 3))
    self.mean = mean
    self.std = std
  }

  /// ImageNet's, which timm takes where nothing else is said.
  public static let imageNet = ChannelStatistics(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225])

  /// timm's rule for pixels that a picture does not have: the rounded mean.
  func fill(_ channel: Int) -> UInt8 { Self.level(mean[channel < mean.count ? channel : 0]) }

  /// The level that a normalised value stands for, rounded and clamped.
  func level(_ normalised: Double, channel: Int) -> UInt8 {
    let c = channel < mean.count ? channel : 0
    return Self.level(mean[c] + std[c] * normalised)
  }

  private static func level(_ value: Double) -> UInt8 {
    UInt8(max(0, min(255, (value * 255).rounded(.toNearestOrEven))))
  }
}
