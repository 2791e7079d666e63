// What a mask says, drawn over its picture.

import Schemas

extension Picture {
  /// The picture with the colours of a mask's classes over it, and black lines between what differs. Pixels without a class stay as
  /// they are.
  /// - Parameters:
  ///   - ids: class ids [height, width] of the picture, or 255.
  ///   - opacity: from 0, the picture alone, to 1, the colours alone.
  public func overlaid(_ ids: [UInt8], _ classes: MaskClasses, opacity: Double = 0.6) -> Picture {
    precondition(ids.count == height * width)
    let palette = classes.palette
    let share = Int((256 * min(1, max(0, opacity))).rounded())
    var result = Picture(
      height: height, width: width, channels: 3, pixels: [UInt8](repeating: 0, count: height * width * 3))
    for y in 0..<height {
      for x in 0..<width {
        let place = y * width + x
        let id = ids[place]
        let isBorder = (x + 1 < width && ids[place + 1] != id) || (y + 1 < height && ids[place + width] != id)
        for channel in 0..<3 {
          let own = Int(pixels[place * channels + (channels == 3 ? channel : 0)])
          let other = isBorder ? 0 : Int(palette[Int(id)][channel])
          let isBare = id == MaskClasses.ignored && !isBorder
          result.pixels[3 * place + channel] = isBare ? UInt8(own) : UInt8((own * (256 - share) + other * share) >> 8)
        }
      }
    }
    return result
  }

  /// The picture at another size, each pixel that of the nearest place.
  public func nearest(height: Int, width: Int) -> Picture {
    if (height, width) == (self.height, self.width) { return self }
    var result = Picture(
      height: height, width: width, channels: channels, pixels: [UInt8](repeating: 0, count: height * width * channels))
    for y in 0..<height {
      let row = y * self.height / height * self.width
      for x in 0..<width {
        let (from, to) = ((row + x * self.width / width) * channels, (y * width + x) * channels)
        for channel in 0..<channels { result.pixels[to + channel] = pixels[from + channel] }
      }
    }
    return result
  }
}
