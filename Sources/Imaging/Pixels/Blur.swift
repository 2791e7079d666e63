// Pillow's GaussianBlur, to the bit: three box blurs in a row along each axis, whose box has a fractional radius ("extended box
// blur", Gwosdek et al., 2011). After Pillow's BoxBlur.c, which slides a sum along the line; boxes here are a few pixels wide, so that
// adding them up anew at each position gives the same whole numbers and many positions at once.

import CImageKernels
import Foundation

/// Blurs pictures; keeps its memory from one to the next. For one thread at a time.
final class Blur {
  private static let passes = 3
  private let scratch = Scratch<UInt8>()

  /// Blurs in place by a Gaussian of standard deviation `sigma` pixels. Pixels must be without gaps between rows.
  func gaussian(_ pixels: Pixels, sigma: Float) {
    let radius = Self.boxRadius(sigma: sigma)
    if radius <= 0 { return }
    let whole = Int(radius)
    let inner = UInt32(Float(1 << 24) / (radius * 2 + 1))
    let outer = (UInt32(1 << 24) - UInt32(whole * 2 + 1) * inner) / 2
    let margin = whole + 1
    let (height, width, channels) = (pixels.height, pixels.width, pixels.channels)
    let memory = scratch.reserve(max((width + 2 * margin) * channels, 64 * (height + 2 * margin)))
    for y in 0..<height { pmae_blur_row(pixels.row(y), width, channels, margin, inner, outer, memory) }
    pmae_blur_columns(pixels.base, height, pixels.rowBytes, margin, inner, outer, memory)
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
}
