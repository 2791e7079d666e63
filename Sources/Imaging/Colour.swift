// Pillow's colour arithmetic, to the bit: ImageEnhance's brightness, contrast and saturation are blends with black, with the mean
// grey and with the grey picture. Where a result depends on the old value alone, a table of 256 says it.

/// Pillow's luma: ITU-R 601-2 in 16-bit fixed point.
@inline(__always)
func luma(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> UInt8 {
  UInt8(truncatingIfNeeded: (UInt32(r) &* 19595 &+ UInt32(g) &* 38470 &+ UInt32(b) &* 7471 &+ 0x8000) >> 16)
}

/// Pillow's blend of two values: `from` at 0, `to` at 1, in single precision; beyond that range clipped; truncated.
@inline(__always)
func blend(_ from: UInt8, _ to: UInt8, _ factor: Float) -> UInt8 {
  let value = Float(from) + factor * Float(Int32(to) &- Int32(from))
  if value <= 0 { return 0 }
  if value >= 255 { return 255 }
  // Truncates without Swift's range check, which would cost more than the blend: adding 2^23 leaves the nearest whole number in
  // the low bits, one too many where it rounded up.
  let shifted = value + 8_388_608
  let whole = UInt8(truncatingIfNeeded: shifted.bitPattern)
  return shifted - 8_388_608 > value ? whole &- 1 : whole
}

/// Changes every value by a table.
@inline(__always)
private func map(_ pixels: Pixels, _ change: (UInt8) -> UInt8) {
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
    for i in 0..<256 { table[i] = change(UInt8(i)) }
    let (base, lookup) = (pixels.base, table.baseAddress!)
    for i in 0..<pixels.count { base[i] = lookup[Int(base[i])] }
  }
}

/// Changes of colour in place. Pixels must be without gaps between rows.
enum Colour {
  /// ImageEnhance.Brightness: 0 is black, 1 the picture.
  static func brightness(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 { return }
    map(pixels) { blend(0, $0, factor) }
  }

  /// ImageEnhance.Contrast: 0 is the mean grey, 1 the picture.
  static func contrast(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 { return }
    var sum = 0
    let base = pixels.base
    let area = pixels.height * pixels.width
    if pixels.channels == 3 {
      for i in 0..<area { sum &+= Int(luma(base[3 &* i], base[3 &* i &+ 1], base[3 &* i &+ 2])) }
    } else {
      for i in 0..<area { sum &+= Int(base[i]) }
    }
    let mean = UInt8(Double(sum) / Double(area) + 0.5)
    map(pixels) { blend(mean, $0, factor) }
  }

  /// ImageEnhance.Color: 0 is the grey picture, 1 the picture. A grey picture stays as it is.
  static func saturation(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 || pixels.channels == 1 { return }
    let base = pixels.base
    for i in 0..<(pixels.height * pixels.width) {
      let p = base + 3 &* i
      let grey = luma(p[0], p[1], p[2])
      p[0] = blend(grey, p[0], factor)
      p[1] = blend(grey, p[1], factor)
      p[2] = blend(grey, p[2], factor)
    }
  }

  /// Image.convert("L"), in all three channels. A grey picture stays as it is.
  static func grey(_ pixels: Pixels) {
    if pixels.channels == 1 { return }
    let base = pixels.base
    for i in 0..<(pixels.height * pixels.width) {
      let p = base + 3 &* i
      let value = luma(p[0], p[1], p[2])
      (p[0], p[1], p[2]) = (value, value, value)
    }
  }

  /// ImageOps.solarize: values of at least `threshold` are inverted.
  static func solarise(_ pixels: Pixels, threshold: UInt8 = 128) {
    map(pixels) { $0 < threshold ? $0 : 255 - $0 }
  }

  /// ImageOps.mirror.
  static func flip(_ pixels: Pixels) {
    let channels = pixels.channels
    for y in 0..<pixels.height {
      let row = pixels.row(y)
      var left = 0
      var right = (pixels.width - 1) * channels
      while left < right {
        for c in 0..<channels { swap(&row[left &+ c], &row[right &+ c]) }
        left &+= channels
        right &-= channels
      }
    }
  }
}

extension Picture {
  /// Pillow's `ImageEnhance.Brightness(picture).enhance(factor)`.
  public func brightness(_ factor: Float) -> Picture { changed { Colour.brightness($0, factor) } }

  /// Pillow's `ImageEnhance.Contrast(picture).enhance(factor)`.
  public func contrast(_ factor: Float) -> Picture { changed { Colour.contrast($0, factor) } }

  /// Pillow's `ImageEnhance.Color(picture).enhance(factor)`.
  public func saturation(_ factor: Float) -> Picture { changed { Colour.saturation($0, factor) } }

  /// torchvision's `adjust_hue`: the hue turned by `shift` of a full circle, -0.5...0.5, in Pillow's 8-bit HSV.
  public func hue(_ shift: Float) -> Picture { changed { Hue.turn($0, shift) } }

  /// Pillow's `convert("L").convert("RGB")`.
  public func grey() -> Picture { changed { Colour.grey($0) } }

  /// Pillow's `ImageOps.solarize(picture, threshold)`.
  public func solarised(threshold: UInt8 = 128) -> Picture { changed { Colour.solarise($0, threshold: threshold) } }

  /// Pillow's `ImageOps.mirror(picture)`.
  public func flipped() -> Picture { changed { Colour.flip($0) } }

  /// Pillow's `picture.filter(ImageFilter.GaussianBlur(sigma))`.
  public func blurred(sigma: Float) -> Picture { changed { Blur().gaussian($0, sigma: sigma) } }

  private func changed(_ body: (Pixels) -> Void) -> Picture {
    var copy = self
    copy.withPixels(body)
    return copy
  }
}
