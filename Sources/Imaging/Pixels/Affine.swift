// Pillow's Image.transform by an affine map, to the bit: for each pixel of the result a place in the source, and what is there by
// bilinear or bicubic interpolation in double precision, truncated. A place outside of the source leaves the fill colour.

import Foundation

/// The map from a result's place to the source's: x' = a x + b y + c, y' = d x + e y + f.
struct AffineMap {
  var a = 1.0
  var b = 0.0
  var c = 0.0
  var d = 0.0
  var e = 1.0
  var f = 0.0

  /// Image.rotate's: counterclockwise about the center, by whatever is left of whole turns; nil where nothing is.
  static func rotation(degrees: Double, height: Int, width: Int) -> AffineMap? {
    var angle = fmod(degrees, 360)
    if angle < 0 { angle += 360 }
    if angle == 0 { return nil }
    let radians = -(angle * (.pi / 180))
    // Pillow rounds to fifteen places, so that a quarter of a turn is exact.
    func rounded(_ value: Double) -> Double { Double(String(format: "%.15f", value)) ?? value }
    let (cosine, sine) = (rounded(cos(radians)), rounded(sin(radians)))
    let (x, y) = (Double(width) / 2, Double(height) / 2)
    return AffineMap(
      a: cosine, b: sine, c: cosine * -x + sine * -y + 0.0 + x, d: rounded(-sin(radians)), e: cosine,
      f: rounded(-sin(radians)) * -x + cosine * -y + 0.0 + y)
  }
}

/// Transforms pictures; keeps its memory from one to the next. For one thread at a time.
final class AffineTransform {
  private let copy = Scratch<UInt8>()

  /// Transforms in place. Pixels must be without gaps between rows.
  func apply(_ map: AffineMap, to pixels: Pixels, interpolation: Interpolation, fill: [UInt8]) {
    let source = copy.reserve(pixels.count)
    source.update(from: pixels.base, count: pixels.count)
    for y in 0..<pixels.height {
      let row = pixels.row(y)
      let v = Double(y) + 0.5
      for x in 0..<pixels.width {
        let out = row + x * pixels.channels
        let u = Double(x) + 0.5
        let (px, py) = (map.a * u + map.b * v + map.c, map.d * u + map.e * v + map.f)
        guard px >= 0, px < Double(pixels.width), py >= 0, py < Double(pixels.height) else {
          for c in 0..<pixels.channels { out[c] = fill[c] }
          continue
        }
        switch interpolation {
        case .bilinear: bilinear(source, pixels, px - 0.5, py - 0.5, to: out)
        case .bicubic: bicubic(source, pixels, px - 0.5, py - 0.5, to: out)
        }
      }
    }
  }

  @inline(__always)
  private func bilinear(
    _ source: UnsafePointer<UInt8>, _ size: Pixels, _ px: Double, _ py: Double, to out: UnsafeMutablePointer<UInt8>
  ) {
    let (fx, fy) = (px.rounded(.down), py.rounded(.down))
    let (x, y) = (Int(fx), Int(fy))
    let (dx, dy) = (px - fx, py - fy)
    let channels = size.channels
    let left = max(0, min(size.width - 1, x)) * channels
    let right = max(0, min(size.width - 1, x + 1)) * channels
    let upper = source + max(0, min(size.height - 1, y)) * size.rowBytes
    let lower = y + 1 < size.height ? source + (y + 1) * size.rowBytes : upper
    for c in 0..<channels {
      let (a, b) = (upper + c, lower + c)
      let first = Double(a[left]) + Double(Int(a[right]) - Int(a[left])) * dx
      let second = Double(b[left]) + Double(Int(b[right]) - Int(b[left])) * dx
      out[c] = truncated(first + (second - first) * dy)
    }
  }

  @inline(__always)
  private func bicubic(
    _ source: UnsafePointer<UInt8>, _ size: Pixels, _ px: Double, _ py: Double, to out: UnsafeMutablePointer<UInt8>
  ) {
    let (fx, fy) = (px.rounded(.down), py.rounded(.down))
    let (x, y) = (Int(fx) - 1, Int(fy) - 1)
    let (dx, dy) = (px - fx, py - fy)
    let (channels, last) = (size.channels, size.width - 1)
    let columns = (
      max(0, min(last, x)) * channels, max(0, min(last, x + 1)) * channels, max(0, min(last, x + 2)) * channels,
      max(0, min(last, x + 3)) * channels
    )
    func row(_ y: Int) -> UnsafePointer<UInt8> { source + max(0, min(size.height - 1, y)) * size.rowBytes }
    let rows = (row(y), row(y + 1), row(y + 2), row(y + 3))
    @inline(__always)
    func along(_ p: UnsafePointer<UInt8>, _ c: Int) -> Double {
      cubic(
        Double(p[columns.0 + c]), Double(p[columns.1 + c]), Double(p[columns.2 + c]), Double(p[columns.3 + c]), dx)
    }
    for c in 0..<channels {
      out[c] = truncated(cubic(along(rows.0, c), along(rows.1, c), along(rows.2, c), along(rows.3, c), dy))
    }
  }

  @inline(__always)
  private func cubic(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ t: Double) -> Double {
    let p2 = -a + c
    let p3 = 2 * (a - b) + c - d
    let p4 = -a + b - c + d
    return b + t * (p2 + t * (p3 + t * p4))
  }

  @inline(__always)
  private func truncated(_ value: Double) -> UInt8 {
    // Branches first, so that the conversion needs no check of its own.
    if value <= 0 { return 0 }
    if value >= 255 { return 255 }
    return UInt8(truncatingIfNeeded: Int(value))
  }
}
