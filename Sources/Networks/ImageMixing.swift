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

extension ImageBatch {
  /// mixup: `share` of each image, and the rest of it from the other. They are mixed as the network's input, not as
  /// pixels, so nothing is rounded to whole levels.
  /// - Parameter others: as many pixels.
  public func blended(with others: [UInt8], share: Float) -> ImageBatch {
    precondition(others.count == pixels.count && blend == nil)
    var result = self
    result.blend = Blend(pixels: others, share: share)
    return result
  }

  /// CutMix: each image with the pixels of the other inside of `box`.
  /// - Parameter others: as many pixels.
  public func pasted(_ others: [UInt8], in box: PixelBox) -> ImageBatch {
    precondition(others.count == pixels.count && blend == nil)
    precondition(box.rows.upperBound <= side && box.columns.upperBound <= side)
    var result = self
    if box.area == 0 { return result }
    for image in 0..<count {
      for y in box.rows {
        let row = (image * side + y) * side
        let range = (row + box.columns.lowerBound) * channels..<(row + box.columns.upperBound) * channels
        result.pixels.replaceSubrange(range, with: others[range])
      }
    }
    return result
  }

  /// The pixels with the last image first.
  public var reversedPixels: [UInt8] {
    let size = side * side * channels
    return (0..<count).reversed().flatMap { pixels[$0 * size..<($0 + 1) * size] }
  }
}
