import TensorStream

/// The shape of a network that says the class of each pixel, beside its encoder.
public struct SegmentationConfiguration: Codable, Equatable, Sendable {
  /// K.
  public var classes: Int
  /// C, the width of UPerNet.
  public var channels: Int
  /// The width of the auxiliary head.
  public var auxiliaryChannels = 256
  /// The four blocks of the encoder whose output is read, from 0.
  public var taps: [Int]
  /// Sides of the grids that the coarsest level is pooled to.
  public var pools = [1, 2, 3, 6]
  /// The share of channels that are left out before the classes, in training.
  public var dropout = 0.1
  /// Whether the encoder's positions are stretched over an image of another size, rather than counted on.
  public var stretchesPositions = true

  /// - Parameters:
  ///   - depth: blocks of the encoder.
  ///   - width: of the encoder, which is UPerNet's.
  public init(classes: Int, depth: Int, width: Int) {
    (self.classes, channels) = (classes, width)
    taps = Self.taps(depth: depth)
  }

  /// BEiT's: after a third, a half, two thirds and all of the blocks; of 12 blocks 3, 5, 7 and 11.
  public static func taps(depth: Int) -> [Int] { [depth / 3, depth / 2, 2 * depth / 3, depth].map { max($0, 1) - 1 } }

  /// Throws `Failure(.usage)` on the first thing that cannot be, by the option's name.
  public func validate(depth: Int) throws {
    try requirePositive([("head-channels", channels), ("aux-channels", auxiliaryChannels)])
    if !(1...255).contains(classes) { throw Failure(.usage, "classes must be from 1 to 255, not \(classes)") }
    if taps.count != 4 || !taps.allSatisfy({ 0..<depth ~= $0 }) || taps != taps.sorted() {
      throw Failure(.usage, "taps must be four blocks from 0 to \(depth - 1) in order, not \(taps)")
    }
    if pools.isEmpty || pools.count > 16 || !pools.allSatisfy({ 1...64 ~= $0 }) {
      throw Failure(.usage, "pools must be 1 to 16 sides from 1 to 64, not \(pools)")
    }
    if !(dropout >= 0 && dropout < 1) { throw Failure(.usage, "dropout must be from 0 to below 1, not \(dropout)") }
  }
}
