// Pillow's colour arithmetic, to the bit: ImageEnhance's brightness, contrast and saturation are blends with black, with the mean
// grey and with the grey picture, in single precision. The loops are in CKernels.

import CImageKernels

/// Changes of colour in place. Pixels must be without gaps between rows.
enum Colour {
  /// ImageEnhance.Brightness: 0 is black, 1 the picture.
  static func brightness(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 { return }
    pmae_blend(pixels.base, pixels.count, 0, factor)
  }

  /// ImageEnhance.Contrast: 0 is the mean grey, 1 the picture.
  static func contrast(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 { return }
    let area = pixels.height * pixels.width
    let sum: UInt64
    if pixels.channels == 3 {
      sum = pmae_luma_sum(pixels.base, area)
    } else {
      sum = UnsafeBufferPointer(start: pixels.base, count: area).reduce(0) { $0 &+ UInt64($1) }
    }
    let mean = UInt8(Double(sum) / Double(area) + 0.5)
    pmae_blend(pixels.base, pixels.count, mean, factor)
  }

  /// ImageEnhance.Color: 0 is the grey picture, 1 the picture. A grey picture stays as it is.
  static func saturation(_ pixels: Pixels, _ factor: Float) {
    if factor == 1 || pixels.channels == 1 { return }
    pmae_saturate(pixels.base, pixels.height * pixels.width, factor)
  }

  /// The hue turned by `shift` of a full circle, in Pillow's 8-bit HSV; truncated to 8 bits like torchvision's `adjust_hue`. A grey
  /// picture has none.
  static func hue(_ pixels: Pixels, _ shift: Float) {
    if pixels.channels == 1 { return }
    pmae_turn_hue(
      pixels.base, pixels.height * pixels.width, UInt8(truncatingIfNeeded: Int32(Double(shift) * 255)))
  }

  /// Image.convert("L"), in all three channels. A grey picture stays as it is.
  static func grey(_ pixels: Pixels) {
    if pixels.channels == 1 { return }
    pmae_grey(pixels.base, pixels.height * pixels.width)
  }

  /// ImageOps.solarize: values of at least `threshold` are inverted.
  static func solarise(_ pixels: Pixels, threshold: UInt8 = 128) {
    pmae_solarise(pixels.base, pixels.count, threshold)
  }

  /// ImageOps.mirror.
  static func flip(_ pixels: Pixels) {
    for y in 0..<pixels.height {
      let row = pixels.row(y)
      if pixels.channels == 3 {
        pmae_mirror(row, pixels.width)
      } else {
        var values = UnsafeMutableBufferPointer(start: row, count: pixels.width)
        values.reverse()
      }
    }
  }

  /// ImageOps.flip.
  static func vflip(_ pixels: Pixels) {
    let values = pixels.width * pixels.channels
    for y in 0..<pixels.height / 2 {
      let (row, other) = (pixels.row(y), pixels.row(pixels.height - 1 - y))
      for x in 0..<values { swap(&row[x], &other[x]) }
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
  public func hue(_ shift: Float) -> Picture { changed { Colour.hue($0, shift) } }

  /// Pillow's `convert("L").convert("RGB")`.
  public func grey() -> Picture { changed { Colour.grey($0) } }

  /// Pillow's `ImageOps.solarize(picture, threshold)`.
  public func solarised(threshold: UInt8 = 128) -> Picture { changed { Colour.solarise($0, threshold: threshold) } }

  /// Pillow's `ImageOps.mirror(picture)`.
  public func flipped() -> Picture { changed { Colour.flip($0) } }

  /// Pillow's `ImageOps.flip(picture)`.
  public func flippedVertically() -> Picture { changed { Colour.vflip($0) } }

  /// Pillow's `picture.filter(ImageFilter.GaussianBlur(sigma))`.
  public func blurred(sigma: Float) -> Picture { changed { Blur().gaussian($0, sigma: sigma) } }

  private func changed(_ body: (Pixels) -> Void) -> Picture {
    var copy = self
    copy.withPixels(body)
    return copy
  }
}
