// From a mask's file to the ids that are stored: as large as the picture, and turned as it is.

import Schemas
import TensorStream

/// Reads masks and writes them anew; keeps its memory from one to the next. For one thread at a time.
final class MaskMaker {
  private let decoder = PictureDecoder()
  private let memory = Scratch<UInt8>()
  private let turned = Scratch<UInt8>()
  private let upright = Scratch<UInt8>()
  private let small = Scratch<UInt8>()

  /// How a picture lies, for its mask.
  struct Frame {
    /// The size of the picture as its file has it.
    let stored: (height: Int, width: Int)
    let orientation: Orientation
    /// The size of the picture that the mask is for: upright, and perhaps made smaller.
    let target: (height: Int, width: Int)
    /// What messages call it.
    let name: String

    var upright: (height: Int, width: Int) {
      orientation.swapsSides ? (stored.width, stored.height) : stored
    }
  }

  /// A PNG file of class ids, of the size of the target.
  ///
  /// A mask belongs to the picture as people see it: upright. Where its size shows that it was made for the picture as it is stored,
  /// on its side, it is turned with it.
  /// - Throws: `Failure(.data)` where the file is no mask, of another size, or has numbers without a meaning.
  func make(_ bytes: UnsafeRawBufferPointer, name: String, table: MaskTable, for frame: Frame) throws -> [UInt8] {
    var mask = try ids(bytes, name: name, table: table)
    let upright = frame.upright
    if (mask.height, mask.width) != upright {
      guard frame.orientation.swapsSides, (mask.height, mask.width) == frame.stored else {
        throw Failure(
          .data,
          "\(name): a mask of \(mask.height) x \(mask.width) pixels, but \(frame.name) has \(upright.height) x "
            + "\(upright.width): a mask has its picture's size; one that was made smaller is to be enlarged by the nearest "
            + "neighbour, which keeps ids as they are")
      }
      mask = frame.orientation.apply(toIds: mask, out: self.upright.reserve(mask.count))
    }
    if frame.target != upright {
      let rows = NearestMap.pillow(input: mask.height, output: frame.target.height)
      let columns = NearestMap.pillow(input: mask.width, output: frame.target.width)
      mask = NearestMap.take(mask, rows: rows, columns: columns, to: small.reserve(rows.count * columns.count))
    }
    return try PNG.encode(mask.base, height: mask.height, width: mask.width, channels: 1)
  }

  /// Class ids as the file has them, turned as the mask's own EXIF says.
  private func ids(_ bytes: UnsafeRawBufferPointer, name: String, table: MaskTable) throws -> Pixels {
    let expected = "expected a PNG of class ids, 8 bits a pixel, grey or with a palette"
    guard let format = ImageFile.Format(bytes) else {
      throw Failure(.data, "\(name): \(notAPicture(bytes)); \(expected)")
    }
    guard format == .png else {
      let why = format == .jpeg ? ", whose compression changes class ids" : ""
      throw Failure(.data, "\(name): a mask as \(format.rawValue)\(why): \(expected)")
    }
    let header = try PNG.header(bytes, name: name)
    let count = header.height * header.width
    let hasIds = header.hasPalette || (header.isGrey && !header.hasAlpha)
    if !hasIds && !(table.readsColours && !header.isGrey && header.bits == 8) {
      let found = header.isGrey ? "grey with alpha" : header.hasAlpha ? "colours with alpha (RGBA)" : "colours (RGB)"
      throw Failure(
        .data,
        "\(name): has \(found), which are no class ids: \(expected); a colour behind each name in --mask-classes, as \"road "
          + "#804080\", reads colours of 8 bits")
    }
    if header.bits > 8 {
      throw Failure(
        .data,
        "\(name): has 16 bits a pixel: \(expected). Ids below 256 fit: write the file anew with 8 bits, without scaling"
      )
    }
    let base = memory.reserve(count)
    if hasIds {
      try PNG.decodeIds(bytes, header: header, into: base, name: name)
      try table.apply(
        to: UnsafeMutableBufferPointer(start: base, count: count), width: header.width, name: name)
    } else {
      let orientation = Orientation(ofPNG: bytes)
      let pixels = try decoder.decode(bytes, name: name)
      try table.apply(colours: pixels, to: base, name: name)
      // The decoder has turned it.
      let (height, width) = orientation.swapsSides ? (header.width, header.height) : (header.height, header.width)
      return Pixels(base: base, height: height, width: width, channels: 1)
    }
    let pixels = Pixels(base: base, height: header.height, width: header.width, channels: 1)
    let orientation = Orientation(ofPNG: bytes)
    return orientation == .upright ? pixels : orientation.apply(toIds: pixels, out: turned.reserve(count))
  }
}
