import Autodiff
import CKernels
import Compute

/// Images as they come from a stream, with what turns them into a network's input: (pixel / 255 − mean) / std.
public struct ImageBatch {
  /// [B, H, W, C], interleaved.
  public internal(set) var pixels: [UInt8]
  public private(set) var count: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  /// Of square images.
  public var side: Int {
    precondition(height == width, "images of \(height) × \(width) where squares are read")
    return height
  }
  /// For each channel the 256 values that a pixel can take.
  let levels: [Float]
  /// Nil where the images are not mixed with others.
  var blend: Blend?

  fileprivate init(pixels: [UInt8], count: Int, height: Int, width: Int, channels: Int, levels: [Float]) {
    precondition(pixels.count == count * height * width * channels)
    (self.pixels, self.count, self.height, self.width) = (pixels, count, height, width)
    (self.channels, self.levels) = (channels, levels)
  }

  /// Other images, and how much of each input is the batch's own.
  struct Blend {
    let pixels: [UInt8]
    let shares: [Float]
  }

  /// - Parameters:
  ///   - pixels: count · side² · channels bytes.
  ///   - mean: a channel, in units of 1 (white), as `std`.
  public init(pixels: [UInt8], count: Int, side: Int, channels: Int, mean: [Float], std: [Float]) {
    self.init(pixels: pixels, count: count, height: side, width: side, channels: channels, mean: mean, std: std)
  }

  /// - Parameters:
  ///   - pixels: count · height · width · channels bytes.
  ///   - mean: a channel, in units of 1 (white), as `std`.
  public init(
    pixels: [UInt8], count: Int, height: Int, width: Int, channels: Int, mean: [Float], std: [Float]
  ) {
    precondition(pixels.count == count * height * width * channels && mean.count == channels && std.count == channels)
    (self.pixels, self.count, self.height, self.width) = (pixels, count, height, width)
    self.channels = channels
    levels = (0..<channels).flatMap { c in (0..<256).map { (Float($0) / 255 - mean[c]) / std[c] } }
  }
}

extension ImageBatch {
  /// Several batches of images of one size as one, one after the other.
  public init(joining parts: [ImageBatch]) {
    precondition(
      parts.allSatisfy {
        $0.height == parts[0].height && $0.width == parts[0].width && $0.levels == parts[0].levels && $0.blend == nil
      })
    self = parts[0]
    if parts.count > 1 {
      pixels = parts.flatMap(\.pixels)
      count = parts.reduce(0) { $0 + $1.count }
    }
  }
}

extension ImageBatch {
  /// Other pixels as the same network's input.
  func with(_ pixels: [UInt8], height: Int, width: Int) -> ImageBatch {
    ImageBatch(pixels: pixels, count: count, height: height, width: width, channels: channels, levels: levels)
  }
}

/// How a patch's values follow one another.
public enum PatchOrder: Sendable {
  /// Channel, row, column: a convolution weight's order.
  case channelsFirst
  /// Row, column, channel: the order of MAE's pixel targets.
  case channelsLast
}

/// The chosen patches of each image as rows: ids [B·n] (n an image, row-major over the grid) -> [B·n, C·P²], constant.
public func patchRows(
  _ images: ImageBatch, ids: [Int32], patch: Int, order: PatchOrder = .channelsFirst, engine: Engine
) -> Tensor {
  let patches = Int32(images.height / patch * (images.width / patch))
  let perImage = ids.count / images.count
  precondition(ids.count == images.count * perImage)
  let places = ids.enumerated().map { Int32($0 / max(perImage, 1)) * patches + $1 }
  return patchRows(images, places: places, patch: patch, order: order, engine: engine)
}

/// The same where images have different numbers of chosen patches: places [R], image · N + patch -> [R, C·P²].
/// - Parameter grid: where given, patches of larger images, whose values to the right of these and below them are zero: the mean colour.
public func patchRows(
  _ images: ImageBatch, places: [Int32], patch: Int, order: PatchOrder = .channelsFirst, grid: PatchGrid? = nil,
  engine: Engine
) -> Tensor {
  let channels = images.channels
  let (line, across) = (images.width, grid?.columns ?? images.width / patch)
  let patches = (grid?.rows ?? images.height / patch) * across
  let width = patch * patch * channels
  let rows = Tensor(rows: places.count, columns: width, values: engine.memory.take(places.count * width))
  let (columnStep, channelStep) = order == .channelsFirst ? (1, patch * patch) : (channels, 1)
  images.pixels.withUnsafeBufferPointer { pixels in
    images.levels.withUnsafeBufferPointer { levels in
      engine.rows(over: rows, cost: width, as: .tokens, values: rows.count) { rows, range in
        for r in range {
          let (image, id) = Int(places[r]).quotientAndRemainder(dividingBy: patches)
          let (top, left) = (id / across * patch, id % across * patch)
          let corner = (image * images.height + top) * line + left
          let (height, width) = (min(patch, images.height - top), min(patch, line - left))
          let out = rows.row(r)
          if height < patch || width < patch { out.update(repeating: 0, count: rows.columns) }
          if height <= 0 || width <= 0 { continue }
          for c in 0..<channels {
            for y in 0..<height {
              var from = (corner + y * line) * channels + c
              var to = c * channelStep + y * patch * columnStep
              for _ in 0..<width {
                out[to] = levels[c << 8 | Int(pixels[from])]
                from += channels
                to += columnStep
              }
            }
          }
        }
      }
    }
  }
  if let blend = images.blend {
    // The others' values in the same places, then λ x + (1 − λ) y.
    var other = images
    (other.pixels, other.blend) = (blend.pixels, nil)
    let others = patchRows(other, places: places, patch: patch, order: order, grid: grid, engine: engine)
    engine.rows(over: rows, others, cost: width, as: .tokens, values: 2 * rows.count) { x, y, range in
      for r in range {
        let share = blend.shares[Int(places[r]) / patches]
        pmae_axpby(1 - share, y.row(r), share, x.row(r), width)
      }
    }
  }
  return rows
}
