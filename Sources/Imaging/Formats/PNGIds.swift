// PNG files of class ids, in and out; and PNG files of pixels, for people.

import CPNG
import Foundation
import TensorStream

extension PNG {
  /// Decodes grey samples or palette indices as they are, to `out`, which has room for height × width bytes.
  /// - Precondition: a header of at most 8 bits a sample, grey without alpha or with a palette.
  static func decodeIds(
    _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
  ) throws {
    precondition(header.bits <= 8 && (header.hasPalette || header.isGrey && !header.hasAlpha))
    let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    try call(name) { cpng_decode_ids(data, bytes.count, out, header.height * header.width, $0) }
  }

  /// A file of class ids, 8 bits a pixel: grey, or with the colours that a palette gives ids.
  /// - Parameters:
  ///   - ids: [height, width], row by row.
  ///   - palette: 256 colours of three values, or nil.
  public static func encode(ids: [UInt8], height: Int, width: Int, palette: [[UInt8]]? = nil) throws -> [UInt8] {
    precondition(ids.count == height * width && height > 0 && width > 0)
    precondition(palette.map { $0.count == 256 && $0.allSatisfy { $0.count == 3 } } ?? true)
    return try ids.withUnsafeBufferPointer {
      try encode($0.baseAddress!, height: height, width: width, channels: 1, palette: palette?.flatMap { $0 })
    }
  }

  static func encode(
    _ pixels: UnsafePointer<UInt8>, height: Int, width: Int, channels: Int, palette: [UInt8]? = nil
  ) throws -> [UInt8] {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CPNG_MESSAGE_SIZE)) { message in
      var out: UnsafeMutablePointer<UInt8>?
      var size = 0
      let text = message.baseAddress!
      let failed =
        if let palette {
          cpng_encode(pixels, height, width, channels, palette, &out, &size, text)
        } else {
          cpng_encode(pixels, height, width, channels, nil, &out, &size, text)
        }
      guard failed == 0, let out else {
        throw Failure(.data, "a PNG of \(height) x \(width) pixels cannot be written: \(String(cString: text))")
      }
      defer { free(out) }
      return Array(UnsafeBufferPointer(start: out, count: size))
    }
  }
}

extension Picture {
  /// The bytes of a PNG file, grey or RGB.
  public func png() throws -> [UInt8] {
    try pixels.withUnsafeBufferPointer {
      try PNG.encode($0.baseAddress!, height: height, width: width, channels: channels)
    }
  }
}
