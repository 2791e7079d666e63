// Images of a batch mixed with each other. The trainer decides which, and how much.

/// A rectangle of whole pixels.
public struct PixelBox: Sendable, Equatable {
  public let rows: Range<Int>
  public let columns: Range<Int>

  public init(rows: Range<Int>, columns: Range<Int>) {
    self.rows = rows
    self.columns = columns
  }

  public var area: Int { rows.count * columns.count }
}

/// What an image gets of another one.
public struct ImageMix: Sendable, Equatable {
  /// How much of the image, and of its label, is its own; of CutMix, of its area.
  public let share: Double
  /// CutMix: the pixels inside are the other's. Nil: mixup, the two are blended.
  public let box: PixelBox?

  public init(share: Double, box: PixelBox?) { (self.share, self.box) = (share, box) }

  /// The image as it is.
  public static let unmixed = ImageMix(share: 1, box: nil)
}

extension ImageBatch {
  /// Each image mixed with the other at its place. Blends are made in the network's input, not in pixels, so nothing is
  /// rounded to whole levels.
  /// - Parameters:
  ///   - others: as many pixels.
  ///   - mixes: one for each image.
  public func mixed(with others: [UInt8], by mixes: [ImageMix]) -> ImageBatch {
    precondition(others.count == pixels.count && mixes.count == count && blend == nil)
    var result = self
    for (image, mix) in mixes.enumerated() {
      guard let box = mix.box, box.area > 0 else { continue }
      precondition(box.rows.upperBound <= side && box.columns.upperBound <= side)
      for y in box.rows {
        let row = (image * side + y) * side
        let range = (row + box.columns.lowerBound) * channels..<(row + box.columns.upperBound) * channels
        result.pixels.replaceSubrange(range, with: others[range])
      }
    }
    let shares = mixes.map { $0.box == nil ? Float($0.share) : 1 }
    if shares.contains(where: { $0 != 1 }) { result.blend = Blend(pixels: others, shares: shares) }
    return result
  }

  /// The pixels with the last image first.
  public var reversedPixels: [UInt8] {
    let size = side * side * channels
    return (0..<count).reversed().flatMap { pixels[$0 * size..<($0 + 1) * size] }
  }
}
