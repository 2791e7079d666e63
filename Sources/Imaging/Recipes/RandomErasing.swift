// timm's RandomErasing in its pixel mode: rectangles of normal noise. timm puts it after normalisation. Views are bytes
// before normalisation, so the noise n becomes mean + std n, rounded and clamped. Normalisation turns this back into n,
// but for rounding and the clamp.

import Foundation
import Parallel

/// Where to erase, and how often.
public struct RandomErasing: Sendable, Equatable {
  /// Shares of the view's area, all rectangles together.
  public var area = 0.02...(1.0 / 3)
  /// Width over height; its logarithm is drawn uniformly.
  public var ratio = 0.3...(1 / 0.3)
  /// Rectangles: from 1 to this many.
  public var count = 1
  public var probability = 1.0

  public init() {}

  /// What was drawn.
  public struct Drawn: Sendable, Equatable {
    /// Of the noise: 24 bits, which a Float holds.
    public var seed: UInt32
    public var boxes: [CropBox]

    public init(seed: UInt32, boxes: [CropBox]) { (self.seed, self.boxes) = (seed, boxes) }
  }

  /// Draws the rectangles of a view of `height` × `width`. Of one that fits in none of ten tries, nothing is left.
  func draw(height: Int, width: Int, from random: inout CounterRandom) -> Drawn? {
    guard random.happens(probability) else { return nil }
    let logarithms = log(ratio.lowerBound)...log(ratio.upperBound)
    let number = count > 1 ? 1 + random.below(count) : 1
    var drawn = Drawn(seed: random.next32() >> 8, boxes: [])
    for _ in 0..<number {
      for _ in 0..<10 {
        let target = random.uniform(in: area) * Double(height * width) / Double(number)
        let aspect = exp(random.uniform(in: logarithms))
        let w = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
        let h = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
        if w < width, h < height {
          let top = random.below(height - h + 1)
          let left = random.below(width - w + 1)
          drawn.boxes.append(CropBox(top: top, left: left, height: h, width: w))
          break
        }
      }
    }
    return drawn
  }

  private static let purpose: UInt32 = 0x6572_6173

  /// Fills the rectangles with noise: rectangle k's values row by row, channels interleaved, in pairs (Box–Muller, first the cosine) of
  /// Philox's blocks 0, 1, … under the key `seed`, with the counter (block, k, 0, 0x65726173).
  static func erase(_ drawn: Drawn, in pixels: Pixels, statistics: ChannelStatistics) {
    for (number, box) in drawn.boxes.enumerated() {
      var random = CounterRandom(seed: UInt64(drawn.seed), epoch: 0, sample: number, purpose: purpose)
      var spare: Double?
      for y in box.top..<(box.top + box.height) {
        let row = pixels.row(y)
        for x in box.left..<(box.left + box.width) {
          for c in 0..<pixels.channels {
            var value = 0.0
            if let second = spare {
              value = second
              spare = nil
            } else {
              let radius = (-2 * log(1 - random.uniform())).squareRoot()
              let angle = 2 * .pi * random.uniform()
              value = radius * cos(angle)
              spare = radius * sin(angle)
            }
            row[x * pixels.channels + c] = statistics.level(value, channel: c)
          }
        }
      }
    }
  }
}
