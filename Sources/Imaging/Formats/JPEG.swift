// JPEG in: every kind that libjpeg(-turbo) reads. CMYK and YCCK become RGB here, so no other code has to know them.

import CJPEG
import TensorStream

/// Decodes JPEG files held in memory, as they are stored: `ImageFile` turns them upright. A file that is cut short or damaged is an
/// error, never a picture with a grey end.
public enum JPEG {
  public struct Header: Sendable, Equatable {
    public let height: Int
    public let width: Int
    /// As stored: 1 (grey), 3 (colour), or 4 (CMYK or YCCK).
    public let components: Int
    public let isProgressive: Bool
    /// Arithmetic coding, not Huffman's.
    public let isArithmetic: Bool
  }

  /// Whether `bytes` begin as every JPEG file does: FF D8 FF.
  public static func isJPEG(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF
  }

  /// Reads the header. `name` says in an error which picture it was.
  /// Throws `Failure(.data)` where the bytes are no JPEG file, the header is damaged, of a kind that is not read (12 bits, lossless),
  /// or claims more than `ImageFile.maximumPixels`.
  public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
    guard isJPEG(bytes) else { throw Failure(.data, "\(name): not a JPEG: \(describeStart(bytes))") }
    var raw = cjpeg_header()
    try call(name) { message in
      cjpeg_read_header(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, &raw, message)
    }
    let header = Header(
      height: Int(raw.height), width: Int(raw.width), components: Int(raw.components),
      isProgressive: raw.progressive != 0, isArithmetic: raw.arithmetic != 0)
    try ImageFile.checkSize(height: header.height, width: header.width, name: name)
    // Huffman coding spends at least a bit on the 64 pixels of a block. Twice that is allowed for. Arithmetic coding
    // can do with a fraction of a bit, so it is allowed 64 times more. What a few bytes claim must not become memory.
    let densest = bytes.count * (header.isArithmetic ? 65_536 : 1024)
    guard header.height * header.width <= max(1 << 22, densest) else {
      throw Failure(
        .data, "\(name): a damaged JPEG: its \(bytes.count) bytes cannot hold \(header.height) x \(header.width) pixels"
      )
    }
    guard [1, 3, 4].contains(header.components) else {
      throw Failure(.data, "\(name): a JPEG of \(header.components) components: 1, 3 or 4 are known")
    }
    return header
  }

  /// Decodes a whole file to RGB: [height, width, 3].
  /// Throws `Failure(.data)` as `header` does, and where pixel data is missing or damaged.
  public static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    let header = try header(bytes, name: name)
    var picture = Picture(
      height: header.height, width: header.width, channels: 3,
      pixels: [UInt8](unsafeUninitializedCapacity: header.height * header.width * 3) { $1 = $0.count })
    let buffers = JPEGBuffers()
    try picture.withPixels { try decode(bytes, header: header, into: $0.base, buffers: buffers, name: name) }
    return picture
  }

  /// Decodes to RGB at `out`, which has room for height × width × 3 bytes. Of those, only the pixels in `part` need be there
  /// afterwards, at their places in the picture; nil is all.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, header: Header, part: CropBox? = nil, into out: UnsafeMutablePointer<UInt8>,
    buffers: JPEGBuffers, name: String
  ) throws {
    let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let (height, width) = (header.height, header.width)
    func decode(_ channels: Int, to out: UnsafeMutablePointer<UInt8>) throws {
      let (channels, size) = (Int32(channels), height * width * channels)
      try call(name) { message in
        guard let part else { return cjpeg_decode(data, bytes.count, channels, nil, out, size, message) }
        var box = cjpeg_box(
          top: Int32(part.top), left: Int32(part.left), height: Int32(part.height), width: Int32(part.width))
        return cjpeg_decode(data, bytes.count, channels, &box, out, size, message)
      }
    }
    if header.components == 4 {
      let inks = buffers.inks.reserve(height * width * 4)
      try decode(4, to: inks)
      let part = part ?? CropBox(top: 0, left: 0, height: height, width: width)
      for y in part.top..<(part.top + part.height) {
        let start = y * width + part.left
        convertInvertedCMYK(inks + 4 * start, to: out + 3 * start, count: part.width)
      }
    } else {
      try decode(3, to: out)
    }
  }

  /// The most pixels on a side that a JPEG file can have.
  static let maximumSide = 65_500

  /// Encodes RGB pixels without gaps between rows as a baseline JPEG file: chroma at half the size (4:2:0), Huffman tables made for the
  /// file, no metadata: Pillow's `save(quality=quality, optimize=True)`. `isGrey` stores the luminance alone.
  /// Precondition: `quality`, libjpeg's, is 1 to 100. Throws `Failure(.data)` where a side is longer than `maximumSide`.
  static func encode(_ pixels: Pixels, isGrey: Bool, quality: Int, buffers: JPEGBuffers, name: String) throws -> [UInt8]
  {
    precondition(pixels.channels == 3 && pixels.stride == pixels.rowBytes && (1...100).contains(quality))
    let (height, width) = (pixels.height, pixels.width)
    guard height <= maximumSide, width <= maximumSide else {
      throw Failure(
        .data, "\(name): \(height) x \(width) pixels cannot be stored as a JPEG: at most \(maximumSide) on a side")
    }
    let capacity = cjpeg_encoded_bound(Int32(height), Int32(width))
    let out = buffers.encoded.reserve(capacity)
    var size = 0
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CJPEG_MESSAGE_SIZE)) { message in
      let text = message.baseAddress!
      let outcome = cjpeg_encode(
        pixels.base, Int32(height), Int32(width), isGrey ? 1 : 0, Int32(quality), out, capacity, &size, text)
      if outcome != 0 { throw Failure(.software, "\(name): not encoded as a JPEG: \(String(cString: text))") }
    }
    return Array(UnsafeBufferPointer(start: out, count: size))
  }

  private static func call(_ name: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
    try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CJPEG_MESSAGE_SIZE)) { message in
      let text = message.baseAddress!
      let outcome = body(text)
      guard outcome != 0 else { return }
      let kind = outcome == Int32(CJPEG_UNKNOWN_KIND) ? "a JPEG of a kind that is not read" : "a damaged JPEG"
      throw Failure(.data, "\(name): \(kind): \(String(cString: text))")
    }
  }

  /// Photoshop stores inks inverted, and so does every program after it. Pillow also takes every CMYK JPEG for
  /// inverted. Its arithmetic: R = K' − round(C · K' / 255), where K' = 255 − K.
  private static func convertInvertedCMYK(_ inks: UnsafePointer<UInt8>, to out: UnsafeMutablePointer<UInt8>, count: Int)
  {
    for i in 0..<count {
      let light = Int32(inks[4 &* i &+ 3])
      for c in 0..<3 {
        let product = (255 &- Int32(inks[4 &* i &+ c])) &* light &+ 128
        out[3 &* i &+ c] = UInt8(truncatingIfNeeded: light &- ((product >> 8 &+ product) >> 8))
      }
    }
  }
}

/// Memory that decoding keeps from one file to the next; for one thread at a time.
final class JPEGBuffers {
  let inks = Scratch<UInt8>()
  let encoded = Scratch<UInt8>()
}

/// "starts with 47 49 46", or "it is empty": the first bytes of something that is not what it should be.
func describeStart(_ bytes: UnsafeRawBufferPointer, count: Int = 3) -> String {
  if bytes.isEmpty { return "it is empty" }
  return "starts with " + bytes.prefix(count).map { hex($0) }.joined(separator: " ")
}

func hex(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return digits.count == 1 ? "0" + digits : digits
}
