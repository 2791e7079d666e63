// Pillow's GaussianBlur, to the bit: three box blurs in a row along each axis, whose box has a fractional radius ("extended box
// blur", Gwosdek et al., 2011). After Pillow's BoxBlur.c, which slides a sum along the line; boxes here are a few pixels wide, so that
// adding them up anew at each position gives the same whole numbers and many positions at once.

import Foundation

/// Blurs pictures; keeps its memory from one to the next. For one thread at a time.
final class Blur {
  private static let passes = 3
  private let padded = Scratch<UInt8>()
  private let column = Scratch<UInt8>()
  private let sums = Scratch<UInt32>()

  /// Blurs in place by a Gaussian of standard deviation `sigma` pixels. Pixels must be without gaps between rows.
  func gaussian(_ pixels: Pixels, sigma: Float) {
    let radius = Self.boxRadius(sigma: sigma)
    if radius <= 0 { return }
    let whole = Int(radius)
    let inner = UInt32(Float(1 << 24) / (radius * 2 + 1))
    let outer = (UInt32(1 << 24) - UInt32(whole * 2 + 1) * inner) / 2
    let margin = whole + 1
    for y in 0..<pixels.height {
      for _ in 0..<Self.passes {
        horizontal(
          pixels.row(y), width: pixels.width, channels: pixels.channels, margin: margin, inner: inner, outer: outer)
      }
    }
    for _ in 0..<Self.passes { vertical(pixels, margin: margin, inner: inner, outer: outer) }
  }

  /// The radius of the box whose `passes`-fold application has this standard deviation; in single precision, like Pillow's.
  static func boxRadius(sigma: Float) -> Float {
    let variance = sigma * sigma / Float(passes)
    let length = Float((12.0 * Double(variance) + 1.0).squareRoot())
    let whole = Float(((Double(length) - 1.0) / 2.0).rounded(.down))
    var fraction = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
    fraction /= 6 * (variance - (whole + 1) * (whole + 1))
    return whole + fraction
  }

  /// One pass along a row: `inner` times the box of 2 × margin − 1 pixels and `outer` times the two pixels next to it, in 24 bits.
  private func horizontal(
    _ row: UnsafeMutablePointer<UInt8>, width: Int, channels: Int, margin: Int, inner: UInt32, outer: UInt32
  ) {
    let bytes = width * channels
    let edge = margin * channels
    let line = padded.reserve(bytes + 2 * edge)
    for m in 0..<margin {
      for c in 0..<channels {
        line[m * channels + c] = row[c]
        line[edge + bytes + m * channels + c] = row[bytes - channels + c]
      }
    }
    (line + edge).update(from: row, count: bytes)
    let sum = sums.reserve(bytes)
    for i in 0..<bytes { sum[i] = 0 }
    for m in 1..<(2 * margin) {
      let p = line + m * channels
      for i in 0..<bytes { sum[i] &+= UInt32(p[i]) }
    }
    finish(sum, line, line + 2 * edge, to: row, count: bytes, inner: inner, outer: outer)
  }

  private func vertical(_ pixels: Pixels, margin: Int, inner: UInt32, outer: UInt32) {
    let (height, bytes) = (pixels.height, pixels.rowBytes)
    // Rows are overwritten while later ones still need them: work from a copy.
    let copy = column.reserve(height * bytes)
    copy.update(from: pixels.base, count: height * bytes)
    let sum = sums.reserve(bytes)
    func row(_ y: Int) -> UnsafeMutablePointer<UInt8> { copy + max(0, min(height - 1, y)) * bytes }
    for y in 0..<height {
      for i in 0..<bytes { sum[i] = 0 }
      for m in (y - margin + 1)..<(y + margin) {
        let p = row(m)
        for i in 0..<bytes { sum[i] &+= UInt32(p[i]) }
      }
      finish(
        sum, row(y - margin), row(y + margin), to: pixels.row(y), count: bytes, inner: inner, outer: outer)
    }
  }

  @inline(__always)
  private func finish(
    _ sum: UnsafePointer<UInt32>, _ before: UnsafePointer<UInt8>, _ after: UnsafePointer<UInt8>,
    to out: UnsafeMutablePointer<UInt8>, count: Int, inner: UInt32, outer: UInt32
  ) {
    for i in 0..<count {
      let far = UInt32(before[i]) &+ UInt32(after[i])
      out[i] = UInt8(truncatingIfNeeded: (sum[i] &* inner &+ far &* outer &+ (1 << 23)) >> 24)
    }
  }
}
