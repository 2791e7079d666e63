// Pillow's resize, to the bit: two passes of 22-bit fixed-point arithmetic, each rounded to 8 bits, with filters that widen when
// shrinking (antialiasing). After Pillow's Resample.c, so that a recipe means here what it means in
// torchvision.

import CImageKernels
import Foundation

/// How pixels between pixels are made up.
public enum Interpolation: String, Sendable, CaseIterable {
  case bilinear
  case bicubic

  /// The filter's half-width, in pixels of the source where it does not shrink.
  var support: Double { self == .bilinear ? 1 : 2 }

  func weight(_ distance: Double) -> Double {
    let x = abs(distance)
    switch self {
    case .bilinear:
      return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    }
  }
}

/// Fixed-point weights along one axis, for a range of output positions.
final class ResamplingTaps {
  /// 8 bits of result and 2 for overshoot leave 22 for the fraction.
  static let precision: Int32 = 32 - 8 - 2

  private let exact = Scratch<Double>()
  private let weightMemory = Scratch<Int32>()
  private let boundMemory = Scratch<Int32>()

  /// The most taps that a position has; `weights` has this many for each.
  private(set) var size = 0
  private(set) var count = 0
  var weights: UnsafeMutablePointer<Int32> { weightMemory.base }
  /// For each position the first source position, counted from the beginning of `reach`, then the number of taps.
  var bounds: UnsafeMutablePointer<Int32> { boundMemory.base }

  /// The source positions that are read.
  private(set) var reach = 0..<0

  /// Weights that take `input` positions to `output` positions, of which only those in `range` are made.
  func prepare(input: Int, output: Int, range: Range<Int>, interpolation: Interpolation) {
    let scale = Double(input) / Double(output)
    let support = interpolation.support * max(scale, 1)
    let inverse = 1 / max(scale, 1)
    size = Int(support.rounded(.up)) * 2 + 1
    count = range.count
    let row = exact.reserve(size)
    let weights = weightMemory.reserve(size * count)
    let bounds = boundMemory.reserve(2 * count)
    var (start, end) = (0, 0)
    for (i, position) in range.enumerated() {
      let center = (Double(position) + 0.5) * scale
      let read = Self.read(around: center, support: support, input: input)
      let (first, taps) = (read.lowerBound, read.count)
      var total = 0.0
      for x in 0..<taps {
        let w = interpolation.weight((Double(x + first) - center + 0.5) * inverse)
        row[x] = w
        total += w
      }
      for x in 0..<taps {
        let w = (total != 0 ? row[x] / total : row[x]) * Double(1 << Self.precision)
        weights[i * size + x] = Int32(w < 0 ? w - 0.5 : w + 0.5)
      }
      // Both ends rise with the position.
      if i == 0 { start = first }
      end = first + taps
      bounds[2 * i] = Int32(first - start)
      bounds[2 * i + 1] = Int32(taps)
    }
    reach = start..<end
  }

  private static func read(around center: Double, support: Double, input: Int) -> Range<Int> {
    max(Int(center - support + 0.5), 0)..<min(Int(center + support + 0.5), input)
  }

  /// What `reach` is after `prepare`.
  static func reach(input: Int, output: Int, range: Range<Int>, interpolation: Interpolation) -> Range<Int> {
    let scale = Double(input) / Double(output)
    let support = interpolation.support * max(scale, 1)
    func read(_ position: Int) -> Range<Int> {
      Self.read(around: (Double(position) + 0.5) * scale, support: support, input: input)
    }
    return read(range.lowerBound).lowerBound..<read(range.upperBound - 1).upperBound
  }
}

/// Resizes pictures; keeps its memory from one to the next. For one thread at a time.
final class Resampler {
  private let horizontal = ResamplingTaps()
  private let vertical = ResamplingTaps()
  private let intermediate = Scratch<UInt8>()
  private let turned = Scratch<UInt8>()

  /// Resizes `source` to `height` × `width` and writes of that result the rectangle `window`, without gaps, at `out`.
  /// The window's pixels are the same bits that cropping the whole result would give.
  func resize(
    _ source: Pixels, height: Int, width: Int, window: CropBox, interpolation: Interpolation,
    to out: UnsafeMutablePointer<UInt8>
  ) {
    let channels = source.channels
    let columns = window.left..<(window.left + window.width)
    let rows = window.top..<(window.top + window.height)
    // A pass that would change nothing is left out.
    let isNarrowed = source.width != width
    let isShortened = source.height != height
    if isNarrowed {
      horizontal.prepare(input: source.width, output: width, range: columns, interpolation: interpolation)
    }
    if isShortened {
      vertical.prepare(input: source.height, output: height, range: rows, interpolation: interpolation)
    }
    // What the second pass reads is all that the first has to make.
    let neededRows = isShortened ? vertical.reach : rows
    let neededColumns = isNarrowed ? horizontal.reach : columns
    let part = Pixels(
      base: source.row(neededRows.lowerBound) + neededColumns.lowerBound * channels, height: neededRows.count,
      width: neededColumns.count, channels: channels, stride: source.stride)

    switch (isNarrowed, isShortened) {
    case (false, false):
      for y in 0..<part.height { (out + y * part.rowBytes).update(from: part.row(y), count: part.rowBytes) }
    case (true, false):
      horizontalPass(part, to: out)
    case (false, true):
      verticalPass(part, to: out)
    case (true, true):
      // Pillow's choice, since version 13; before, horizontal was always first. The order shows in the rounding.
      if height < source.height && source.height - height > 2 * (source.width - width) {
        let made = intermediate.reserve(rows.count * part.rowBytes)
        verticalPass(part, to: made)
        horizontalPass(Pixels(base: made, height: rows.count, width: part.width, channels: channels), to: out)
      } else {
        let made = intermediate.reserve(part.height * columns.count * channels)
        horizontalPass(part, to: made)
        verticalPass(Pixels(base: made, height: part.height, width: columns.count, channels: channels), to: out)
      }
    }
  }

  /// `source` has the columns of the taps' reach; `out` gets as many rows.
  private func horizontalPass(_ source: Pixels, to out: UnsafeMutablePointer<UInt8>) {
    let (width, channels) = (horizontal.count, source.channels)
    pmae_resample_rows(
      source.base, source.stride, out, source.height, width, channels, horizontal.weights, horizontal.size,
      horizontal.bounds, turned.reserve(64 * channels * (width + source.width)))
  }

  /// `source` has the rows of the taps' reach; `out` gets as many columns.
  private func verticalPass(_ source: Pixels, to out: UnsafeMutablePointer<UInt8>) {
    for y in 0..<vertical.count {
      pmae_resample_column(
        source.row(Int(vertical.bounds[2 * y])), source.stride, out + y * source.rowBytes, source.rowBytes,
        vertical.weights + y * vertical.size, Int(vertical.bounds[2 * y + 1]))
    }
  }
}

extension Picture {
  /// The picture resized to `height` × `width` as Pillow's `Image.resize` does, of `crop` alone where given: as torchvision's
  /// `resized_crop`, in which pixels outside the crop have no part.
  public func resized(height: Int, width: Int, crop: CropBox? = nil, interpolation: Interpolation = .bicubic) -> Picture
  {
    var copy = self
    var result = Picture(
      height: height, width: width, channels: channels, pixels: [UInt8](repeating: 0, count: height * width * channels))
    let window = CropBox(top: 0, left: 0, height: height, width: width)
    let box = crop ?? CropBox(top: 0, left: 0, height: self.height, width: self.width)
    precondition(
      box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0 && box.top + box.height <= self.height
        && box.left + box.width <= self.width)
    copy.withPixels { source in
      result.withPixels { target in
        Resampler().resize(
          source.cropped(box), height: height, width: width, window: window, interpolation: interpolation,
          to: target.base)
      }
    }
    return result
  }
}
