// The header of a picture file of any format, as it is stored.

import TensorStream

extension ImageFile {
  /// The header of one format or another, and which way up the picture is.
  struct StoredHeader {
    enum Details {
      case jpeg(JPEG.Header)
      case png(PNG.Header)
      case webp(WebP.Header)
      case tiff(TIFF.Header)
    }

    let details: Details
    /// As stored.
    let height: Int
    /// As stored.
    let width: Int
    let isGrey: Bool
    let orientation: Orientation

    /// Throws `Failure(.data)` as `ImageFile.header` does.
    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
      switch Format(bytes) {
      case .jpeg:
        let header = try JPEG.header(bytes, name: name)
        (height, width, isGrey) = (header.height, header.width, header.components == 1)
        (details, orientation) = (.jpeg(header), Orientation(ofJPEG: bytes))
      case .png:
        let header = try PNG.header(bytes, name: name)
        (height, width, isGrey) = (header.height, header.width, header.isGrey)
        (details, orientation) = (.png(header), Orientation(ofPNG: bytes))
      case .webp:
        let header = try WebP.header(bytes, name: name)
        (height, width, isGrey) = (header.height, header.width, false)
        (details, orientation) = (.webp(header), Orientation(ofWebP: bytes))
      case .tiff:
        let header = try TIFF.header(bytes, name: name)
        (height, width, isGrey) = (header.height, header.width, header.isGrey)
        (details, orientation) = (.tiff(header), header.orientation)
      case nil: throw Failure(.data, "\(name): \(notAPicture(bytes))")
      }
    }

    var upright: Header {
      let format: Format =
        switch details {
        case .jpeg: .jpeg
        case .png: .png
        case .webp: .webp
        case .tiff: .tiff
        }
      let (height, width) = orientation.swapsSides ? (width, height) : (height, width)
      return Header(
        format: format, height: height, width: width, channels: isGrey ? 1 : 3, orientation: orientation)
    }
  }
}

/// What bytes are that are no picture, and what to do; where nobody knows, how they start.
func notAPicture(_ bytes: UnsafeRawBufferPointer) -> String {
  FileKind(bytes)?.description ?? "not a JPEG, PNG, WebP or TIFF: \(describeStart(bytes))"
}
