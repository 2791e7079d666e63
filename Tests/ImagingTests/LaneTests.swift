import Imaging
import Testing

/// Pixels are worked on many at a time. Whatever the size, each comes out as it would alone.
@Suite struct LaneTests {
  private func noise(height: Int, width: Int, channels: Int = 3) -> Picture {
    var state = UInt64(height * 1000 + width * 10 + channels)
    let pixels = (0..<(height * width * channels)).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 40)
    }
    return Picture(height: height, width: width, channels: channels, pixels: pixels)
  }

  private func row(_ picture: Picture, _ y: Int) -> Picture {
    let bytes = picture.width * picture.channels
    return Picture(
      height: 1, width: picture.width, channels: picture.channels,
      pixels: Array(picture.pixels[(y * bytes)..<((y + 1) * bytes)]))
  }

  private func turned(_ picture: Picture) -> Picture {
    var pixels: [UInt8] = []
    for x in 0..<picture.width {
      for y in 0..<picture.height {
        let at = (y * picture.width + x) * picture.channels
        pixels += picture.pixels[at..<(at + picture.channels)]
      }
    }
    return Picture(height: picture.width, width: picture.height, channels: picture.channels, pixels: pixels)
  }

  @Test func aColourDependsOnItsPixelAlone() {
    let changes: [(String, (Picture) -> Picture)] = [
      ("brightness", { $0.brightness(1.3) }), ("saturation", { $0.saturation(1.7) }), ("hue", { $0.hue(0.3) }),
      ("grey", { $0.grey() }), ("solarise", { $0.solarised(threshold: 100) }),
    ]
    for width in 1...40 {
      let source = noise(height: 1, width: width)
      for (name, change) in changes {
        let together = change(source).pixels
        let alone = (0..<width).flatMap { x in
          change(Picture(height: 1, width: 1, channels: 3, pixels: Array(source.pixels[(3 * x)..<(3 * x + 3)]))).pixels
        }
        #expect(together == alone, "\(name), \(width) pixels")
      }
    }
  }

  @Test func contrastIsAboutTheMeanOfAllPixels() {
    for width in 1...40 {
      let source = noise(height: 1, width: width)
      let grey = source.grey().pixels
      let sum = stride(from: 0, to: grey.count, by: 3).reduce(0) { $0 + Int(grey[$1]) }
      let mean = UInt8(Double(sum) / Double(width) + 0.5)
      #expect(source.contrast(0).pixels == [UInt8](repeating: mean, count: 3 * width))
    }
  }

  @Test func flipsPutTheLastPixelFirst() {
    for width in 1...70 {
      for channels in [1, 3] {
        let source = noise(height: 2, width: width, channels: channels)
        let expected = (0..<2).flatMap { y in
          (0..<width).reversed().flatMap { x in (0..<channels).map { source.pixels[(y * width + x) * channels + $0] } }
        }
        #expect(source.flipped().pixels == expected, "\(width) pixels of \(channels)")
      }
    }
  }

  @Test(arguments: [1, 3]) func rowsAreResizedAsIfAlone(channels: Int) {
    for height in [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 131] {
      for (width, made) in [(1, 3), (3, 2), (5, 16), (21, 20), (22, 7), (64, 48)] {
        let source = noise(height: height, width: width, channels: channels)
        let together = source.resized(height: height, width: made)
        for y in 0..<height {
          #expect(row(together, y) == row(source, y).resized(height: 1, width: made), "\(height) x \(width), row \(y)")
        }
      }
    }
  }

  /// One axis at a time: where all rows are equal, blurring along columns changes nothing, and turned around it is the same.
  @Test(arguments: [1, 3]) func blurIsTheSameAlongBothAxes(channels: Int) {
    for width in [1, 2, 5, 15, 16, 17, 21, 22, 43, 64, 90] {
      let line = noise(height: 1, width: width, channels: channels)
      for height in [1, 5, 22, 70] {
        let pixels = (0..<height).flatMap { _ in line.pixels }
        let source = Picture(height: height, width: width, channels: channels, pixels: pixels)
        for sigma in [Float(0.4), 1.1, 3] {
          let blurred = source.blurred(sigma: sigma)
          let expected = line.blurred(sigma: sigma)
          for y in 0..<height { #expect(row(blurred, y) == expected, "\(height) x \(width), row \(y), \(sigma)") }
          #expect(turned(turned(source).blurred(sigma: sigma)) == blurred, "\(height) x \(width), \(sigma)")
        }
      }
    }
  }
}
