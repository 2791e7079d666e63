// TIFF in, by libtiff: as 8-bit RGB; of several pages the first.

import TensorStream

#if TIFF
  import CTIFF
#endif

/// Decodes TIFF files held in memory, as they are stored: `ImageFile` turns them upright. A file in which pixels are missing is an error.
///
/// Grey, RGB, palettes, CMYK and YCbCr, of 1 to 16 bits a sample, in strips and tiles, by every compression that libtiff has. Of more than 8 bits
/// the upper 8 are kept; Pillow does so for colour, and cuts 16-bit grey off at 255. Alpha is dropped, as by Pillow's
/// `convert("RGB")`; colours that were multiplied by it are divided by it first. Floating-point and signed samples, CIELab and raw photographs are
/// refused: their white is not said. Of several pages the first is taken, as Pillow opens it: `ImageFile.pictures` tells that there are more.
public enum TIFF {
  public struct Header: Sendable, Equatable {
    public let height: Int
    public let width: Int
    /// Of a sample, 1 to 16.
    public let bits: Int
    public let isGrey: Bool
    public let orientation: Orientation
  }

  /// Whether `bytes` begin as TIFF and BigTIFF files do, and not as Canon's raw photographs.
  public static func isTIFF(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 8 else { return false }
    let starts: [[UInt8]] = [
      [0x49, 0x49, 0x2A, 0], [0x4D, 0x4D, 0, 0x2A], [0x49, 0x49, 0x2B, 0], [0x4D, 0x4D, 0, 0x2B],
    ]
    return starts.contains { bytes.starts(with: $0) }
      && !(bytes.count >= 10 && bytes[8..<10].elementsEqual("CR".utf8))
  }

  #if TIFF
    /// Reads the header of the first picture. `name` says in an error which file it was.
    /// Throws `Failure(.data)` where the header is damaged, of a kind that is not read, or claims more than so many bytes can hold.
    public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
      var raw = ctiff_header()
      try call(name) {
        ctiff_read_header(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, &raw, $0)
      }
      let header = Header(
        height: Int(raw.height), width: Int(raw.width), bits: Int(raw.bits), isGrey: raw.grey != 0,
        orientation: Orientation(rawValue: Int(raw.orientation)) ?? .upright)
      try ImageFile.checkSize(height: header.height, width: header.width, name: name)
      let unpacked = header.height * ((header.width * Int(raw.samples) * header.bits + 7) / 8)
      guard unpacked <= bytes.count * Int(raw.densest), unpacked <= 1 << 32 else {
        throw Failure(
          .data,
          "\(name): a damaged TIFF: its \(bytes.count) bytes cannot hold \(header.height) x \(header.width) pixels")
      }
      return header
    }

    /// Decodes to RGB at `out`, which has room for height × width × 3 bytes.
    static func decode(
      _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
    ) throws {
      let data = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
      try call(name) { ctiff_decode(data, bytes.count, out, header.height * header.width * 3, $0) }
    }

    /// How many pictures a file has, thumbnails and masks left out; 1 where there is no telling.
    static func pages(_ bytes: UnsafeRawBufferPointer) -> Int {
      // Counting reads a directory for each.
      let limit: UInt32 = 1000
      return max(
        1, Int(ctiff_pictures(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count, limit)))
    }

    private static func call(_ name: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
      try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CTIFF_MESSAGE_SIZE)) { message in
        let text = message.baseAddress!
        let outcome = body(text)
        guard outcome != 0 else { return }
        let kind = outcome == Int32(CTIFF_UNKNOWN_KIND) ? "a TIFF of a kind that is not read" : "a damaged TIFF"
        throw Failure(.data, "\(name): \(kind): \(String(cString: text))")
      }
    }
  #else
    public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
      throw notBuilt(name)
    }

    static func decode(
      _ bytes: UnsafeRawBufferPointer, header: Header, into out: UnsafeMutablePointer<UInt8>, name: String
    ) throws { throw notBuilt(name) }

    static func pages(_ bytes: UnsafeRawBufferPointer) -> Int { 1 }

    private static func notBuilt(_ name: String) -> Failure {
      Failure(
        .data,
        "\(name): a TIFF picture, which this build does not read: build it with the package trait TIFF (libtiff-dev)")
    }
  #endif
}
