// A picture to draw on: other pictures, captions, tinted squares and frames. What is drawn beyond its edges is left out.

import Foundation
import TensorStream

/// An RGB picture that grows out of what is drawn on it. Places are in pixels, x to the right and y downwards.
public struct Canvas: Sendable {
  /// Red, green and blue.
  public struct Colour: Sendable, Equatable {
    public var r, g, b: UInt8

    public init(_ r: UInt8, _ g: UInt8, _ b: UInt8) { (self.r, self.g, self.b) = (r, g, b) }

    public static let white = Colour(255, 255, 255)
    public static let black = Colour(0, 0, 0)
    public static let grey = Colour(110, 110, 110)

    /// A colour of the circle of hues.
    /// - Parameters:
    ///   - hue: 0 red, 1/3 green, 2/3 blue, 1 red again.
    ///   - lightness: 0 black, 0.5 the hue at its strongest, 1 white.
    public init(hue: Double, lightness: Double) {
      func value(_ n: Double) -> UInt8 {
        let k = (n + hue * 12).truncatingRemainder(dividingBy: 12)
        let strength = min(lightness, 1 - lightness)
        return UInt8((255 * (lightness - strength * max(-1, min(k - 3, 9 - k, 1)))).rounded())
      }
      self.init(value(0), value(8), value(4))
    }
  }

  /// What a letter takes, the gaps to its neighbours included.
  public static let letter = (width: BitmapFont.width + 1, height: BitmapFont.height + 3)

  public private(set) var picture: Picture
  public var width: Int { picture.width }
  public var height: Int { picture.height }

  /// A sheet of one colour.
  /// - Throws: `Failure(.usage)` where it is larger than a JPEG file can be: 65,500 pixels a side, 2²⁸ in all. Nothing is allocated then.
  public init(width: Int, height: Int, colour: Colour = .white) throws {
    let limit = 65_500
    guard width > 0, height > 0, width <= limit, height <= limit, width * height <= ImageFile.maximumPixels else {
      throw Failure(
        .usage,
        "a sheet of \(grouped(width)) x \(grouped(height)) pixels is more than a JPEG file holds: show fewer, or smaller"
      )
    }
    var pixels = [UInt8](repeating: colour.r, count: width * height * 3)
    if colour.g != colour.r || colour.b != colour.r {
      for i in 0..<width * height { (pixels[3 * i + 1], pixels[3 * i + 2]) = (colour.g, colour.b) }
    }
    picture = Picture(height: height, width: width, channels: 3, pixels: pixels)
  }

  /// Mixes a colour into a rectangle: 1 covers what was there, 0 leaves it.
  public mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: Colour, share: Double = 1) {
    let columns = max(0, x)..<max(max(0, x), min(self.width, x + width))
    let values = [colour.r, colour.g, colour.b]
    for row in max(0, y)..<max(max(0, y), min(self.height, y + height)) {
      for column in columns {
        let at = (row * self.width + column) * 3
        for c in 0..<3 {
          let old = Double(picture.pixels[at + c])
          picture.pixels[at + c] = UInt8((old + (Double(values[c]) - old) * share).rounded())
        }
      }
    }
  }

  /// The border of a rectangle, inside it, one pixel wide.
  public mutating func frame(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    fill(x: x, y: y, width: width, height: 1, colour)
    fill(x: x, y: y + height - 1, width: width, height: 1, colour)
    fill(x: x, y: y, width: 1, height: height, colour)
    fill(x: x + width - 1, y: y, width: 1, height: height, colour)
  }

  /// A picture, pixel by pixel; a grey one as RGB.
  public mutating func draw(_ other: Picture, x: Int, y: Int) {
    for row in max(0, -y)..<max(max(0, -y), min(other.height, height - y)) {
      for column in max(0, -x)..<max(max(0, -x), min(other.width, width - x)) {
        let from = (row * other.width + column) * other.channels
        let to = ((y + row) * width + x + column) * 3
        for c in 0..<3 { picture.pixels[to + c] = other.pixels[from + (other.channels == 3 ? c : 0)] }
      }
    }
  }

  /// A line of text whose top left corner is at (x, y).
  /// - Parameters:
  ///   - maximumWidth: in pixels; what does not fit ends in two dots.
  ///   - scale: how many pixels wide and high each dot of a letter is.
  public mutating func text(
    _ text: String, x: Int, y: Int, _ colour: Colour = .black, maximumWidth: Int = .max, scale: Int = 1
  ) {
    let advance = Self.letter.width * scale
    let fits = maximumWidth / advance
    let shown = text.count <= fits ? text : fits > 2 ? text.prefix(fits - 2) + ".." : String(text.prefix(max(0, fits)))
    for (place, character) in shown.enumerated() {
      for (column, bits) in BitmapFont.columns(character).enumerated() {
        for row in 0..<BitmapFont.height where bits >> UInt8(row) & 1 == 1 {
          fill(
            x: x + place * advance + column * scale, y: y + row * scale, width: scale, height: scale, colour)
        }
      }
    }
  }
}

extension Picture {
  /// As large as fits into a square, its sides in proportion: Pillow's bicubic where it shrinks; where it grows, whole pixels, which show
  /// what a network was given.
  public func fitted(into side: Int) -> Picture {
    let longer = max(height, width)
    func scaled(_ value: Int) -> Int { max(1, (value * side + longer / 2) / longer) }
    let (newHeight, newWidth) = (scaled(height), scaled(width))
    if longer >= side { return resized(height: newHeight, width: newWidth) }
    var result = Picture(
      height: newHeight, width: newWidth, channels: channels,
      pixels: [UInt8](repeating: 0, count: newHeight * newWidth * channels))
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let from = (y * height / newHeight * width + x * width / newWidth) * channels
        let to = (y * newWidth + x) * channels
        for c in 0..<channels { result.pixels[to + c] = pixels[from + c] }
      }
    }
    return result
  }
}
