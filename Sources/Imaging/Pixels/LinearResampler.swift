// OpenCV's bilinear resize, to the bit: between the two nearest pixels along each axis, without antialiasing, in weights of 11 bits. What
// mmcv's transforms resize by.

import CImageKernels
import Foundation

/// Resizes pictures; keeps its memory from one to the next. For one thread at a time.
final class LinearResampler {
  private let places = Scratch<Int32>()
  private let weights = Scratch<Int16>()
  private let rows = Scratch<Int32>()

  /// Where an output position lies between source positions, and the weights of the two.
  private static func tap(_ position: Int, input: Int, output: Int) -> (place: Int, first: Int32, second: Int32) {
    let scale = 1 / (Double(output) / Double(input))
    var offset = Float((Double(position) + 0.5) * scale - 0.5)
    let place = Int(offset.rounded(.down))
    offset -= Float(place)
    func weight(_ share: Float) -> Int32 { Int32((share * 2048).rounded(.toNearestOrEven)) }
    return (place, weight(1 - offset), weight(offset))
  }

  /// The source positions that a range of output positions is made of.
  static func reach(input: Int, output: Int, range: Range<Int>) -> Range<Int> {
    let first = max(0, tap(range.lowerBound, input: input, output: output).place)
    let last = min(input - 1, tap(range.upperBound - 1, input: input, output: output).place + 1)
    return min(first, input - 1)..<max(first, last) + 1
  }

  /// Resizes `source` to `height` × `width` and writes of that result the rectangle `window`, whose rows are `stride` bytes apart, at
  /// `out`.
  func resize(
    _ source: Pixels, height: Int, width: Int, window: CropBox, to out: UnsafeMutablePointer<UInt8>, stride: Int
  ) {
    let channels = source.channels
    if height == source.height, width == source.width {
      for y in 0..<window.height {
        (out + y * stride).update(
          from: source.row(window.top + y) + window.left * channels, count: window.width * channels)
      }
      return
    }
    let (places, weights) = (places.reserve(window.width), weights.reserve(2 * window.width))
    for x in 0..<window.width {
      let tap = Self.tap(window.left + x, input: source.width, output: width)
      // Beyond either edge is the pixel at the edge.
      let isOutside = tap.place < 0 || tap.place >= source.width - 1
      places[x] = Int32(min(max(0, tap.place), source.width - 1))
      weights[2 * x] = Int16(isOutside ? 2048 : tap.first)
      weights[2 * x + 1] = Int16(isOutside ? 0 : tap.second)
    }
    let count = window.width * channels
    let memory = rows.reserve(2 * count)
    var (upper, lower) = (memory, memory + count)
    var made: (upper: Int, lower: Int) = (-1, -1)
    func make(_ row: Int, _ target: UnsafeMutablePointer<Int32>) {
      pmae_linear_row(source.row(row), target, window.width, channels, places, weights, channels)
    }
    for y in 0..<window.height {
      let tap = Self.tap(window.top + y, input: source.height, output: height)
      let (a, b) = (min(max(0, tap.place), source.height - 1), min(max(0, tap.place + 1), source.height - 1))
      if made.upper != a {
        if made.lower == a {
          swap(&upper, &lower)
          made = (a, -1)
        } else {
          make(a, upper)
          made.upper = a
        }
      }
      if a != b, made.lower != b {
        make(b, lower)
        made.lower = b
      }
      pmae_linear_column(upper, a == b ? upper : lower, tap.first, tap.second, out + y * stride, count)
    }
  }
}

extension Picture {
  /// OpenCV's `resize(picture, (width, height), interpolation=INTER_LINEAR)`.
  public func linearlyResized(height: Int, width: Int) -> Picture {
    var copy = self
    var result = Picture(
      height: height, width: width, channels: channels, pixels: [UInt8](repeating: 0, count: height * width * channels))
    copy.withPixels { source in
      result.withPixels { target in
        LinearResampler().resize(
          source, height: height, width: width, window: CropBox(top: 0, left: 0, height: height, width: width),
          to: target.base, stride: target.stride)
      }
    }
    return result
  }
}
