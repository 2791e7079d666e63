// PNG in: every kind that libpng reads, as 8-bit RGB.

import CPNG
import TensorStream

/// Decodes PNG files held in memory, as they are stored: `ImageFile` turns them upright. A file that is cut short, or in which a
/// checksum is wrong, is an error.
///
/// Grey, with 1 to 16 bits, and palettes become RGB. Of 16 bits the upper 8 are kept; Pillow does so for colour, but cuts 16-bit grey
/// off at 255, which leaves most of such pictures white. Alpha and the transparent colour of a tRNS chunk are dropped, as by
/// Pillow's `convert("RGB")`: what was invisible shows as it is stored. Gamma and colour profiles are not applied.
public enum PNG {
  public struct Header: Sendable, Equatable {
    public let height: Int
    public let width: Int
    /// Bits of a sample or of a palette's index: 1, 2, 4, 8 or 16.
    public let bits: Int
    /// Grey, with or without alpha. A palette counts as colour.
    public let isGrey: Bool
    /// Indices into a palette.
    public let hasPalette: Bool
    public let hasAlpha: Bool
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Whether `bytes` begin as every PNG file does.
  public static func isPNG(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: signature) }

  /// Reads the header. `name` says in an error which picture it was.
  /// Throws `Failure(.data)` where the bytes are no PNG file, the header is damaged, or it claims more than `ImageFile.maximumPixels`
  /// or more than so many bytes can hold.
  public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
    guard isPNG(bytes) else { throw Failure(.data, "\(name): not a PNG: \(describeStart(bytes))") }
    var raw = cpng_header()
    try call(name) { cpng_read_header(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, &raw, $0) }
    let header = Header(
      height: Int(raw.height), width: Int(raw.width), bits: Int(raw.bits), isGrey: raw.colour == 0,
      hasPalette: raw.has_palette != 0, hasAlpha: raw.has_alpha != 0)
    try ImageFile.checkSize(height: header.height, width: header.width, name: name)
    // Deflate packs at most 1,032 bytes into one. What a few bytes claim must not become memory.
    let unpacked = header.height * (header.width * Int(raw.pixel_bits) / 8)
    guard unpacked <= bytes.count * 1032 else {
      throw Failure(
        .data, "\(name): a damaged PNG: its \(bytes.count) bytes cannot hold \(header.height) x \(header.width) pixels")
    }
    return header
  }

  /// Decodes to RGB at `out`, which has room for height × width × 3 bytes.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
  ) throws {
    let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    try call(name) { cpng_decode(data, bytes.count, out, header.height * header.width * 3, $0) }
  }

  static func call(_ name: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CPNG_MESSAGE_SIZE)) { message in
      let text = message.baseAddress!
      if body(text) != 0 { throw Failure(.data, "\(name): a damaged PNG: \(String(cString: text))") }
    }
  }
}
