// Turning hues as torchvision does with Pillow: to 8-bit HSV, an addition that wraps around, and back. After Pillow's Convert.c,
// which follows Python's colorsys; single and double precision alternate there, and do so here.

import Foundation

enum Hue {
  /// Turns the hue by `shift` of a full circle; truncated to 8 bits like torchvision's `adjust_hue`. Grey pictures have none.
  static func turn(_ pixels: Pixels, _ shift: Float) {
    if pixels.channels == 1 { return }
    let turned = UInt8(truncatingIfNeeded: Int32(Double(shift) * 255))
    let base = pixels.base
    sectors.withUnsafeBufferPointer { sectors in
      for i in 0..<(pixels.height * pixels.width) {
        let p = base + 3 &* i
        var (h, s, v) = hsv(p[0], p[1], p[2])
        h = h &+ turned
        if s == 0 {
          (p[0], p[1], p[2]) = (v, v, v)
        } else {
          let sector = sectors[Int(h)]
          (p[0], p[1], p[2]) = rgb(sector.index, sector.fraction, s, v)
        }
      }
    }
  }

  /// The sixth of the circle that an 8-bit hue is in, and how far into it. (Hue 255 is 0 of sector 0 again.)
  private static let sectors: [(index: Int32, fraction: Float)] = (0..<256).map { h in
    let position = Double(Float(h)) * 6 / 255
    let index = Foundation.floor(position)
    return (Int32(index) % 6, Float(position - Double(Float(index))))
  }

  @inline(__always)
  private static func hsv(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> (h: UInt8, s: UInt8, v: UInt8) {
    let high = max(r, g, b)
    let low = min(r, g, b)
    if high == low { return (0, 0, high) }
    let range = Float(high &- low)
    let s = range / Float(high)
    let rc = Float(high &- r) / range
    let gc = Float(high &- g) / range
    let bc = Float(high &- b) / range
    let h: Float
    if r == high {
      h = bc - gc
    } else if g == high {
      h = Float(2 + Double(rc) - Double(bc))
    } else {
      h = Float(4 + Double(gc) - Double(rc))
    }
    var circle = Double(h) / 6 + 1
    if circle >= 1 { circle -= 1 }
    return (truncated(Double(Float(circle)) * 255), truncated(Double(s) * 255), high)
  }

  @inline(__always)
  private static func rgb(_ sector: Int32, _ fraction: Float, _ s: UInt8, _ v: UInt8) -> (UInt8, UInt8, UInt8) {
    let saturation = Double(Float(Double(Float(s)) / 255))
    let (f, value) = (Double(fraction), Double(Float(v)))
    let p = rounded(value * (1 - saturation))
    // Pillow multiplies two floats here, and only then widens.
    let q = rounded(value * (1 - Double(Float(saturation) * fraction)))
    let t = rounded(value * (1 - saturation * (1 - f)))
    switch sector {
    case 0: return (v, t, p)
    case 1: return (q, v, p)
    case 2: return (p, v, t)
    case 3: return (p, q, v)
    case 4: return (t, p, v)
    default: return (v, p, q)
    }
  }

  /// Of a value in 0...255.
  @inline(__always)
  private static func truncated(_ value: Double) -> UInt8 { UInt8(truncatingIfNeeded: unsafeInt(value)) }

  /// C's round() of a value in 0...255: halves go up.
  @inline(__always)
  private static func rounded(_ value: Double) -> UInt8 { UInt8(truncatingIfNeeded: unsafeInt(value + 0.5)) }

  /// The whole part of a value in 0...256, without a range check: 2^52 more puts the nearest whole number in the low bits.
  @inline(__always)
  private static func unsafeInt(_ value: Double) -> UInt64 {
    let shifted = value + 4_503_599_627_370_496
    let whole = shifted.bitPattern & 0x1FF
    return shifted - 4_503_599_627_370_496 > value ? whole &- 1 : whole
  }
}
