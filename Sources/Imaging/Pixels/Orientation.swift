// Which way up a picture is stored, and turning it upright.

/// EXIF orientation: how a picture has to be turned to be upright. Raw values are EXIF's.
public enum Orientation: Int, Sendable, CaseIterable {
  case upright = 1
  case mirrored
  case halfTurned
  case flipped
  /// Rows and columns exchanged.
  case transposed
  /// To be turned by 90° clockwise.
  case leftTurned
  case transversed
  /// To be turned by 90° counterclockwise.
  case rightTurned

  /// Whether height and width change places.
  public var swapsSides: Bool { rawValue >= 5 }

  /// Where the rectangle `box` of the upright picture is in the one that is stored, of height and width `size`.
  func stored(_ box: CropBox, of size: (height: Int, width: Int)) -> CropBox {
    var result = box
    if swapsSides {
      result = CropBox(top: box.left, left: box.top, height: box.width, width: box.height)
    }
    if [.halfTurned, .flipped, .leftTurned, .transversed].contains(self) {
      result.top = size.height - result.top - result.height
    }
    if [.mirrored, .halfTurned, .transversed, .rightTurned].contains(self) {
      result.left = size.width - result.left - result.width
    }
    return result
  }

  /// Where the upright picture begins in a source of `channels`, and how far a step down and a step to the right lead there.
  private func walk(_ source: Pixels) -> (start: Int, down: Int, right: Int) {
    let step = source.channels
    let (lastRow, lastColumn) = ((source.height - 1) * source.stride, (source.width - 1) * step)
    return switch self {
    case .upright: (0, source.stride, step)
    case .mirrored: (lastColumn, source.stride, -step)
    case .halfTurned: (lastRow + lastColumn, -source.stride, -step)
    case .flipped: (lastRow, -source.stride, step)
    case .transposed: (0, step, source.stride)
    case .leftTurned: (lastRow, step, -source.stride)
    case .transversed: (lastRow + lastColumn, -step, -source.stride)
    case .rightTurned: (lastColumn, -step, source.stride)
    }
  }

  /// Writes a map of one channel upright, without gaps, at `out`, which must not overlap it.
  func apply(toIds source: Pixels, out: UnsafeMutablePointer<UInt8>) -> Pixels {
    precondition(source.channels == 1)
    let (start, down, right) = walk(source)
    let target = Pixels(
      base: out, height: swapsSides ? source.width : source.height, width: swapsSides ? source.height : source.width,
      channels: 1)
    for y in 0..<target.height {
      var from = source.base + start + y * down
      let to = target.row(y)
      for x in 0..<target.width {
        to[x] = from.pointee
        from += right
      }
    }
    return target
  }

  /// Writes `source` upright, without gaps, at `out`, which must not overlap it. The pixels are only moved.
  func apply(to source: Pixels, out: UnsafeMutablePointer<UInt8>) -> Pixels {
    precondition(source.channels == 3)
    let (start, down, right) = walk(source)
    let target = Pixels(
      base: out, height: swapsSides ? source.width : source.height, width: swapsSides ? source.height : source.width,
      channels: 3)
    // Squares small enough that the lines of memory that a column touches are still there for the next column.
    let side = 64
    for top in stride(from: 0, to: target.height, by: side) {
      for left in stride(from: 0, to: target.width, by: side) {
        let width = min(side, target.width - left)
        for y in top..<min(top + side, target.height) {
          var from = source.base + start + y * down + left * right
          var to = target.row(y) + left * 3
          for _ in 0..<width {
            to[0] = from[0]
            to[1] = from[1]
            to[2] = from[2]
            from += right
            to += 3
          }
        }
      }
    }
    return target
  }
}
