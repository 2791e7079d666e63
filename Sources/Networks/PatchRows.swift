import Autodiff
import CKernels
import Compute

/// Images as they come from a stream, with what turns them into a network's input: (pixel / 255 − mean) / std.
public struct ImageBatch {
  /// [B, H, W, C], interleaved.
  public internal(set) var pixels: [UInt8]
  public private(set) var count: Int
  public let side: Int
  public let channels: Int
  /// For each channel the 256 values that a pixel can take.
  let levels: [Float]
  /// Nil where the images are not mixed with others.
  var blend: Blend?

  /// Other images, and how much of each input is the batch's own.
  struct Blend {
    let pixels: [UInt8]
    let shares: [Float]
  }

  /// - Parameters:
  ///   - pixels: count · side² · channels bytes.
  ///   - mean: a channel, in units of 1 (white), as `std`.
  public init(pixels: [UInt8], count: Int, side: Int, channels: Int, mean: [Float], std: [Float]) {
    precondition(pixels.count == count * side * side * channels && mean.count == channels && std.count == channels)
    self.pixels = pixels
    self.count = count
    self.side = side
    self.channels = channels
    levels = (0..<channels).flatMap { c in (0..<256).map { (Float($0) / 255 - mean[c]) / std[c] } }
  }
}

extension ImageBatch {
  /// Several batches of images of one size as one, one after the other.
  public init(joining parts: [ImageBatch]) {
    precondition(parts.allSatisfy { $0.side == parts[0].side && $0.levels == parts[0].levels && $0.blend == nil })
    self = parts[0]
    if parts.count > 1 {
      pixels = parts.flatMap(\.pixels)
      count = parts.reduce(0) { $0 + $1.count }
    }
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
  let patches = Int32(images.side / patch * (images.side / patch))
  let perImage = ids.count / images.count
  precondition(ids.count == images.count * perImage)
  let places = ids.enumerated().map { Int32($0 / max(perImage, 1)) * patches + $1 }
  return patchRows(images, places: places, patch: patch, order: order, engine: engine)
}

/// The same where images have different numbers of chosen patches: places [R], image · N + patch -> [R, C·P²].
public func patchRows(
  _ images: ImageBatch, places: [Int32], patch: Int, order: PatchOrder = .channelsFirst, engine: Engine
) -> Tensor {
  let channels = images.channels
  let side = images.side
  let grid = side / patch
  let width = patch * patch * channels
  let rows = Tensor(rows: places.count, columns: width, values: engine.memory.take(places.count * width))
  let (columnStep, channelStep) = order == .channelsFirst ? (1, patch * patch) : (channels, 1)
  images.pixels.withUnsafeBufferPointer { pixels in
    images.levels.withUnsafeBufferPointer { levels in
      engine.rows(over: rows, cost: width, as: .tokens, values: rows.count) { rows, range in
        for r in range {
          let (image, id) = Int(places[r]).quotientAndRemainder(dividingBy: grid * grid)
          let corner = (image * side + id / grid * patch) * side + id % grid * patch
          let out = rows.row(r)
          for c in 0..<channels {
            for y in 0..<patch {
              var from = (corner + y * side) * channels + c
              var to = c * channelStep + y * patch * columnStep
              for _ in 0..<patch {
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
    let others = patchRows(other, places: places, patch: patch, order: order, engine: engine)
    engine.rows(over: rows, others, cost: width, as: .tokens, values: 2 * rows.count) { x, y, range in
      for r in range {
        let share = blend.shares[Int(places[r]) / (grid * grid)]
        pmae_axpby(1 - share, y.row(r), share, x.row(r), width)
      }
    }
  }
  return rows
}
