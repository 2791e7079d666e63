// Class ids out of the masks that an images stream holds.

import Schemas
import TensorStream

/// Decodes masks into memory that it keeps. For one thread at a time.
public final class MaskDecoder {
  private let memory = Scratch<UInt8>()

  public init() {}

  /// A PNG file of class ids as [height, width], valid until the next call.
  /// - Throws: `Failure(.data)` where it is damaged, is no such file, or has an id of no class.
  func decode(_ file: UnsafeRawBufferPointer, classes: MaskClasses, name: @autoclosure () -> String) throws -> Pixels {
    let name = name()
    let header = try PNG.header(file, name: name)
    guard header.bits <= 8, header.hasPalette || (header.isGrey && !header.hasAlpha) else {
      throw Failure(.data, "\(name): expected a PNG of class ids, 8 bits a pixel, grey or with a palette")
    }
    let count = header.height * header.width
    let base = memory.reserve(count)
    try PNG.decodeIds(file, header: header, into: base, name: name)
    try classes.check(UnsafeBufferPointer(start: base, count: count), width: header.width, what: name)
    return Pixels(base: base, height: header.height, width: header.width, channels: 1)
  }
}

extension PNG {
  /// The class ids of a mask's file, [height, width], as one channel.
  /// - Throws: `Failure(.data)` where it is damaged, is no such file, or has an id of no class.
  public static func ids(_ file: [UInt8], classes: MaskClasses, name: String) throws -> Picture {
    let decoder = MaskDecoder()
    // The ids are the decoder's.
    return try withExtendedLifetime(decoder) {
      try file.withUnsafeBytes { Picture(try decoder.decode($0, classes: classes, name: name)) }
    }
  }
}
