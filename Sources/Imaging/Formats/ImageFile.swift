// Picture files as users have them. Their first bytes tell the format, and every format becomes RGB, the right way up.

import TensorStream

/// Picture files held in memory. A file in which a pixel is missing or damaged is an error that names it, never a picture with a blank end.
///
/// JPEG: every kind that libjpeg-turbo reads with 8 bits a channel. PNG: all kinds. WebP and TIFF: see `WebP` and `TIFF`; they are package
/// traits, on by default. Alpha and transparent colours are dropped, not composited, and of 16 bits the upper 8 are kept. Orientation in
/// EXIF, and in XMP where EXIF has none, is applied. Colour profiles and gamma are not. But for grey of 16 bits, which Pillow cuts off
/// at 255, this is `ImageOps.exif_transpose(Image.open(file)).convert("RGB")`.
public enum ImageFile {
  /// Pictures with more pixels than this are refused before any memory is taken: 2^28, a square of 16,384.
  public static let maximumPixels = 1 << 28

  public enum Format: String, Sendable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    case tiff = "TIFF"

    /// What the first bytes say; nil for anything else. Twelve are enough.
    ///
    /// This alone decides whether something is a picture, wherever it lies: in a folder, in an archive, on a list.
    public init?(_ bytes: UnsafeRawBufferPointer) {
      if JPEG.isJPEG(bytes) {
        self = .jpeg
      } else if PNG.isPNG(bytes) {
        self = .png
      } else if WebP.isWebP(bytes) {
        self = .webp
      } else if TIFF.isTIFF(bytes) {
        self = .tiff
      } else {
        return nil
      }
    }
  }

  public struct Header: Sendable, Equatable {
    public let format: Format
    /// Upright, that is after `orientation` was applied.
    public let height: Int
    /// Upright.
    public let width: Int
    /// 1 for a grey picture, with or without alpha; 3 for any other: colour, palette, CMYK.
    public let channels: Int
    public let orientation: Orientation
  }

  /// Reads the header; `name` says in an error which picture it was.
  /// Throws `Failure(.data)` where the bytes are of no known format (it says of which other), the header is damaged, or it claims more
  /// than `maximumPixels` or more than so many bytes can hold.
  public static func header(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Header {
    try StoredHeader(bytes, name: name).upright
  }

  /// How many pictures a file holds: pages of a TIFF file (at most 1,000 are counted), frames of a WebP animation. The first is decoded.
  public static func pictures(_ bytes: UnsafeRawBufferPointer) -> Int {
    switch Format(bytes) {
    case .webp: WebP.frames(bytes)
    case .tiff: TIFF.pages(bytes)
    case .jpeg, .png, nil: 1
    }
  }

  /// Decodes a whole file to RGB, upright: [height, width, 3].
  /// Throws `Failure(.data)` as `header` does, and where pixel data is missing or damaged.
  public static func decode(_ bytes: UnsafeRawBufferPointer, name: String) throws -> Picture {
    let decoder = PictureDecoder()
    // The pixels are the decoder's.
    return try withExtendedLifetime(decoder) {
      let pixels = try decoder.decode(bytes, name: name)
      return Picture(
        height: pixels.height, width: pixels.width, channels: 3,
        pixels: Array(UnsafeBufferPointer(start: pixels.base, count: pixels.count)))
    }
  }

  /// Decodes only the rectangle `part` of the upright picture: the same bits as `decode` and cropping. What comes after
  /// that part in a JPEG file is not read, and damage there is not seen. Precondition: `part` has pixels and lies
  /// inside the picture.
  public static func decode(_ bytes: UnsafeRawBufferPointer, part: CropBox, name: String) throws -> Picture {
    let decoder = PictureDecoder()
    return try withExtendedLifetime(decoder) {
      let whole = try decoder.decode(bytes, name: name) { height, width in
        precondition(part.top >= 0 && part.left >= 0 && part.height > 0 && part.width > 0)
        precondition(part.top + part.height <= height && part.left + part.width <= width)
        return part
      }
      let pixels = whole.cropped(part)
      return Picture(
        height: part.height, width: part.width, channels: 3,
        pixels: (0..<part.height).flatMap { UnsafeBufferPointer(start: pixels.row($0), count: pixels.rowBytes) })
    }
  }

  /// Throws `Failure(.data)` for a picture without pixels or with more than are accepted.
  static func checkSize(height: Int, width: Int, name: String) throws {
    guard height > 0, width > 0, height <= maximumPixels / width else {
      throw Failure(.data, "\(name): \(height) x \(width) pixels: at most \(maximumPixels) pixels are accepted")
    }
  }
}
