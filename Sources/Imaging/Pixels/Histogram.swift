// Pillow's ImageOps: operations that give each old value a new one by a table of 256, some of them from the channel's histogram. And
// ImageEnhance.Sharpness, whose other end is the picture smoothed by its eight neighbours.

/// Changes in place. Pixels must be without gaps between rows.
enum Levels {
  /// ImageOps.invert.
  static func invert(_ pixels: Pixels) { map(pixels) { 255 - $0 } }

  /// ImageOps.posterize: keeps so many of the highest bits. None leaves black, as in Pillow before version 13, which refuses it.
  static func posterise(_ pixels: Pixels, bits: Int) {
    if bits >= 8 { return }
    let mask = bits <= 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
    map(pixels) { $0 & mask }
  }

  /// ImageOps.solarize with a threshold of 0...256.
  static func solarise(_ pixels: Pixels, threshold: Int) { map(pixels) { Int($0) < threshold ? $0 : 255 - $0 } }

  /// timm's solarize_add: values below 128 become larger by `amount`, 0...128.
  static func solariseAdd(_ pixels: Pixels, amount: Int) {
    map(pixels) { $0 < 128 ? UInt8(min(255, Int($0) + amount)) : $0 }
  }

  /// ImageOps.autocontrast: each channel's lowest value becomes 0, its highest 255.
  static func autoContrast(_ pixels: Pixels) {
    mapByHistogram(pixels) { histogram, table in
      guard let low = histogram.firstIndex(where: { $0 > 0 }), let high = histogram.lastIndex(where: { $0 > 0 }),
        high > low
      else { return }
      let scale = 255.0 / Double(high - low)
      let offset = Double(-low) * scale
      for i in 0..<256 { table[i] = UInt8(max(0, min(255, Double(i) * scale + offset))) }
    }
  }

  /// ImageOps.equalize: each channel's values become equally frequent, as nearly as whole levels can.
  static func equalise(_ pixels: Pixels) {
    mapByHistogram(pixels) { histogram, table in
      let used = histogram.filter { $0 > 0 }
      let step = (used.reduce(0, +) - (used.last ?? 0)) / 255
      guard used.count > 1, step > 0 else { return }
      var sum = step / 2
      for i in 0..<256 {
        table[i] = UInt8(min(255, sum / step))
        sum += histogram[i]
      }
    }
  }

  private static func map(_ pixels: Pixels, _ change: (UInt8) -> UInt8) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
      for i in 0..<256 { table[i] = change(UInt8(i)) }
      let (base, lookup) = (pixels.base, table.baseAddress!)
      for i in 0..<pixels.count { base[i] = lookup[Int(base[i])] }
    }
  }

  /// `body` gets a channel's histogram and a table to change, which leaves values as they are.
  private static func mapByHistogram(_ pixels: Pixels, _ body: (_ histogram: [Int], _ table: inout [UInt8]) -> Void) {
    let (base, channels) = (pixels.base, pixels.channels)
    for c in 0..<channels {
      var histogram = [Int](repeating: 0, count: 256)
      histogram.withUnsafeMutableBufferPointer { counts in
        for i in stride(from: c, to: pixels.count, by: channels) { counts[Int(base[i])] &+= 1 }
      }
      var table = (0..<256).map { UInt8($0) }
      body(histogram, &table)
      table.withUnsafeBufferPointer { lookup in
        for i in stride(from: c, to: pixels.count, by: channels) { base[i] = lookup[Int(base[i])] }
      }
    }
  }
}

/// Sharpens pictures; keeps its memory from one to the next. For one thread at a time.
final class Sharpness {
  private let copy = Scratch<UInt8>()

  /// ImageEnhance.Sharpness in place: 0 is the smoothed picture, 1 the picture, more is sharper. The outermost pixels stay.
  func enhance(_ pixels: Pixels, factor: Float) {
    let (width, channels) = (pixels.rowBytes, pixels.channels)
    if factor == 1 || pixels.height < 3 || pixels.width < 3 { return }
    let source = copy.reserve(pixels.count)
    source.update(from: pixels.base, count: pixels.count)
    let (one, five) = (Float(1) / 13, Float(5) / 13)
    for y in 1..<(pixels.height - 1) {
      let out = pixels.row(y)
      let middle = source + y * width
      let (above, below) = (middle - width, middle + width)
      for i in channels..<(width - channels) {
        // Pillow's order of adding, in single precision.
        var sum = Float(0.5)
        sum +=
          Float(below[i &- channels]) * one + Float(below[i]) * one + Float(below[i &+ channels]) * one
        sum +=
          Float(middle[i &- channels]) * one + Float(middle[i]) * five + Float(middle[i &+ channels]) * one
        sum +=
          Float(above[i &- channels]) * one + Float(above[i]) * one + Float(above[i &+ channels]) * one
        // A mean of bytes: from 0.5 to 255.5.
        let smooth = sum >= 255 ? 255 : UInt8(truncatingIfNeeded: Int32(sum))
        out[i] = blend(smooth, middle[i], factor)
      }
    }
  }
}

/// Pillow's blend of two values: `from` at 0, `to` at 1, in single precision; beyond that range clipped; truncated.
@inline(__always)
private func blend(_ from: UInt8, _ to: UInt8, _ factor: Float) -> UInt8 {
  let value = Float(from) + factor * Float(Int32(to) &- Int32(from))
  if value <= 0 { return 0 }
  if value >= 255 { return 255 }
  // Truncates without Swift's range check, which would cost more than the blend: adding 2^23 leaves the nearest whole number in
  // the low bits, one too many where it rounded up.
  let shifted = value + 8_388_608
  let whole = UInt8(truncatingIfNeeded: shifted.bitPattern)
  return shifted - 8_388_608 > value ? whole &- 1 : whole
}
