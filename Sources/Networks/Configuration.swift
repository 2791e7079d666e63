import TensorStream

/// The shape of a vision transformer encoder.
public struct EncoderConfiguration: Codable, Equatable, Sendable {
  /// What tells a patch where it is.
  public enum Positions: String, Codable, Sendable {
    /// MAE's fixed table.
    case sineCosine = "sine-cosine"
    /// A trained row for each place.
    case learned
  }

  /// Side of the square image in pixels.
  public var image: Int
  /// Side of a square patch in pixels.
  public var patch: Int
  /// Colour channels, 1 or 3.
  public var channels: Int
  /// D, the width of a token.
  public var width: Int
  public var depth: Int
  public var heads: Int
  /// The hidden width of a block's MLP, in widths.
  public var mlpRatio: Int = 4
  public var positions = Positions.sineCosine
  /// Whether each block's branches are multiplied by trained factors, one for each of the width's values.
  public var layerScale = false
  /// What layer norms add to the variance.
  public var normEpsilon = 1e-6

  public init(image: Int, patch: Int, channels: Int, width: Int, depth: Int, heads: Int, mlpRatio: Int = 4) {
    self.image = image
    self.patch = patch
    self.channels = channels
    self.width = width
    self.depth = depth
    self.heads = heads
    self.mlpRatio = mlpRatio
  }

  /// A field that older files lack gets here the value that these files mean.
  public init(from decoder: any Swift.Decoder) throws {
    let c = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      image: try c.decode(Int.self, forKey: .image), patch: try c.decode(Int.self, forKey: .patch),
      channels: try c.decode(Int.self, forKey: .channels), width: try c.decode(Int.self, forKey: .width),
      depth: try c.decode(Int.self, forKey: .depth), heads: try c.decode(Int.self, forKey: .heads),
      mlpRatio: try c.decodeIfPresent(Int.self, forKey: .mlpRatio) ?? 4)
    positions = try c.decodeIfPresent(Positions.self, forKey: .positions) ?? positions
    layerScale = try c.decodeIfPresent(Bool.self, forKey: .layerScale) ?? layerScale
    normEpsilon = try c.decodeIfPresent(Double.self, forKey: .normEpsilon) ?? normEpsilon
  }

  private enum CodingKeys: String, CodingKey {
    case image, patch, channels, width, depth, heads, mlpRatio, positions, layerScale, normEpsilon
  }

  /// What an encoder of ours lacks is left out, so that its file reads as it always did.
  public func encode(to encoder: any Swift.Encoder) throws {
    var c = encoder.container(keyedBy: CodingKeys.self)
    let sizes: [(CodingKeys, Int)] = [
      (.image, image), (.patch, patch), (.channels, channels), (.width, width), (.depth, depth), (.heads, heads),
      (.mlpRatio, mlpRatio),
    ]
    for (key, value) in sizes { try c.encode(value, forKey: key) }
    if positions != .sineCosine { try c.encode(positions, forKey: .positions) }
    if layerScale { try c.encode(layerScale, forKey: .layerScale) }
    if normEpsilon != 1e-6 { try c.encode(normEpsilon, forKey: .normEpsilon) }
  }

  /// About how many weights it has, to recognise a size that is impossible.
  public var approximateWeights: Double {
    let d = Double(width)
    return Double(depth) * d * d * Double(4 + 2 * mlpRatio) + d * Double(patches + patchValues)
  }

  /// Patches along a side.
  public var grid: Int { image / patch }
  /// N, patches in an image.
  public var patches: Int { grid * grid }
  /// Values in a patch, C·P².
  public var patchValues: Int { channels * patch * patch }

  /// Throws `Failure(.usage)` naming the two numbers that do not go together.
  public func validate() throws {
    try requirePositive([
      ("image", image), ("patch", patch), ("width", width), ("depth", depth), ("heads", heads),
    ])
    if channels != 1 && channels != 3 { throw Failure(.usage, "channels must be 1 or 3, not \(channels)") }
    if image % patch != 0 {
      throw Failure(.usage, "a patch of \(patch) does not divide an image of \(image) (both are sides, in pixels)")
    }
    try validateWidth(width, heads: heads, names: ("width", "heads"))
    if !(normEpsilon > 0 && normEpsilon < 1) {
      throw Failure(.usage, "normEpsilon must be above 0 and below 1, not \(normEpsilon)")
    }
    if image > 1 << 14 || width > 1 << 15 || depth > 1 << 10 {
      throw Failure(.usage, "image \(image), width \(width) and depth \(depth) are beyond 16,384, 32,768 and 1,024")
    }
  }

  /// The sizes of the paper and of timm by their names.
  public static func model(_ name: String, image: Int, patch: Int, channels: Int) -> EncoderConfiguration? {
    let sizes: [String: (width: Int, depth: Int, heads: Int)] = [
      "vit-tiny": (192, 12, 3), "vit-small": (384, 12, 6), "vit-base": (768, 12, 12), "vit-large": (1024, 24, 16),
    ]
    return sizes[name].map {
      EncoderConfiguration(
        image: image, patch: patch, channels: channels, width: $0.width, depth: $0.depth, heads: $0.heads)
    }
  }

  public static let modelNames = ["vit-tiny", "vit-small", "vit-base", "vit-large"]
}

/// The shape of MAE's decoder. The caller decides what it predicts for a token.
public struct DecoderConfiguration: Equatable, Sendable {
  public var width = 512
  public var depth = 8
  public var heads = 16

  public init(width: Int = 512, depth: Int = 8, heads: Int = 16) {
    self.width = width
    self.depth = depth
    self.heads = heads
  }

  public func validate() throws {
    try requirePositive([("decoder-width", width), ("decoder-depth", depth), ("decoder-heads", heads)])
    try validateWidth(width, heads: heads, names: ("decoder-width", "decoder-heads"))
  }

  /// About how many weights it has, with `output` values predicted for a token.
  public func approximateWeights(output: Int) -> Double {
    Double(width) * (12 * Double(depth) * Double(width) + Double(output))
  }
}

/// The shape of the projection head.
public struct HeadConfiguration: Equatable, Sendable {
  public var hidden = 2048
  public var bottleneck = 256
  /// C, prototypes for class tokens and as many for patches.
  public var prototypes = 4096

  public init(hidden: Int = 2048, bottleneck: Int = 256, prototypes: Int = 4096) {
    self.hidden = hidden
    self.bottleneck = bottleneck
    self.prototypes = prototypes
  }

  public func validate() throws {
    try requirePositive([
      ("head-hidden", hidden), ("head-bottleneck", bottleneck), ("prototypes", prototypes),
    ])
  }

  /// About how many weights it has.
  public var approximateWeights: Double {
    Double(hidden) * Double(hidden) + Double(bottleneck) * (Double(hidden) + 2 * Double(prototypes))
  }
}

package func requirePositive(_ values: [(name: String, value: Int)]) throws {
  for (name, value) in values where value < 1 || value > 1 << 20 {
    throw Failure(.usage, "\(name) must be from 1 to 1,048,576, not \(value)")
  }
}

private func validateWidth(_ width: Int, heads: Int, names: (width: String, heads: String)) throws {
  if width % heads != 0 {
    throw Failure(.usage, "\(names.heads) \(heads) does not divide \(names.width) \(width)")
  }
  if width % 4 != 0 {
    throw Failure(
      .usage, "\(names.width) must be a multiple of 4 (sines and cosines of two coordinates), not \(width)")
  }
}
