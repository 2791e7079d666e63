// Decoding one picture file after the other into the same memory, and shrinking files that are larger than training needs.

import TensorStream

/// Decodes picture files into memory that it keeps. For one thread at a time.
public final class PictureDecoder {
  private let stored = Scratch<UInt8>()
  private let turned = Scratch<UInt8>()
  private let buffers = JPEGBuffers()
  private let resampler = Resampler()
  private let small = Scratch<UInt8>()

  public init() {}

  /// Decodes a file as `ImageFile.decode` does: RGB, upright. The pixels are valid until the next call and for as long
  /// as the decoder is held.
  /// - Parameter choose: is told the upright height and width, and says of which rectangle the pixels are needed; all
  ///   others are undefined. Of a JPEG file what comes after it is not read, and damage there not seen. nil is all.
  func decode(
    _ bytes: UnsafeRawBufferPointer, name: String, choose: ((_ height: Int, _ width: Int) -> CropBox)? = nil
  ) throws -> Pixels {
    let stored = try ImageFile.StoredHeader(bytes, name: name)
    let part = choose.map {
      let upright = stored.upright
      return stored.orientation.stored($0(upright.height, upright.width), of: (stored.height, stored.width))
    }
    return try decode(bytes, stored, part: part, name: name)
  }

  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ header: ImageFile.StoredHeader, part: CropBox? = nil, name: String
  ) throws -> Pixels {
    let count = header.height * header.width * 3
    let base = stored.reserve(count)
    switch header.details {
    case .jpeg(let header):
      try JPEG.decode(bytes, header: header, part: part, into: base, buffers: buffers, name: name)
    case .png(let header): try PNG.decode(bytes, header: header, into: base, name: name)
    case .webp(let header): try WebP.decode(bytes, header: header, into: base, name: name)
    case .tiff(let header): try TIFF.decode(bytes, header: header, into: base, name: name)
    }
    let pixels = Pixels(base: base, height: header.height, width: header.width, channels: 3)
    return header.orientation == .upright ? pixels : header.orientation.apply(to: pixels, out: turned.reserve(count))
  }

  /// A picture file whose shorter side is `shortSide` pixels, in place of one whose is longer. nil where it is not: such a file is kept
  /// as it came, never enlarged.
  ///
  /// The picture is turned upright, resized as torchvision's `Resize(shortSide, BICUBIC)` does (antialiased; the longer side is cut
  /// down to whole pixels), and encoded as Pillow's `save(quality=quality, optimize=True)`: a baseline JPEG, 4:2:0, a grey picture with
  /// one component. EXIF and colour profiles are left behind. The whole file is decoded in either case, so a damaged one never passes.
  /// - Parameters:
  ///   - shortSide: In pixels, at least 1.
  ///   - quality: libjpeg's, 1 to 100.
  /// - Throws: `Failure(.data)` as `ImageFile.decode` does, and where the result has more than 65,500 pixels on its longer side, which
  ///   JPEG cannot hold.
  public func shrunk(_ bytes: UnsafeRawBufferPointer, shortSide: Int, quality: Int, name: String) throws -> [UInt8]? {
    precondition(shortSide > 0 && (1...100).contains(quality))
    let stored = try ImageFile.StoredHeader(bytes, name: name)
    let pixels = try decode(bytes, stored, name: name)
    guard min(pixels.height, pixels.width) > shortSide else { return nil }
    let size = resizedSize(height: pixels.height, width: pixels.width, shortSide: shortSide)
    let target = Pixels(
      base: small.reserve(size.height * size.width * 3), height: size.height, width: size.width, channels: 3)
    resampler.resize(
      pixels, height: size.height, width: size.width,
      window: CropBox(top: 0, left: 0, height: size.height, width: size.width), interpolation: .bicubic, to: target.base
    )
    return try JPEG.encode(target, isGrey: stored.isGrey, quality: quality, buffers: buffers, name: name)
  }
}
