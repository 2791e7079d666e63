import TensorStream

/// How large the pictures of an `images` stream are, by what the stream says of itself. No picture is read.
public struct PictureExtent: Equatable, Sendable {
  public let pictures: Int
  /// The side of a square with as many pixels as the mean picture.
  public let side: Double
  /// 1 where every picture is grey.
  public let channels: Int

  public init(pictures: Int, side: Double, channels: Int) {
    (self.pictures, self.side, self.channels) = (pictures, side, channels)
  }

  /// Of the streams of one set.
  /// - Throws: `Failure(.data)` for a stream of another kind, one without a picture, and one that does not say how large they are.
  public init(paths: [String]) throws {
    var (pictures, pixels, channels) = (0, 0, 1)
    for path in paths {
      let stream = try IndexedStream(path: path, kinds: [StreamKind.images.rawValue])
      guard stream.rows > 0 else { throw Failure(.data, "\(stream.name): no picture is in it") }
      guard let found: Int = try MetadataFields(stream.header, source: stream.name).value("pixels"), found > 0 else {
        throw Failure(.data, "\(stream.name): its end does not say how many pixels there are: pack it again")
      }
      pictures += stream.rows
      pixels += found
      channels = max(channels, try ImagesHeader(stream.header, source: stream.name).channels ?? 3)
    }
    self.init(pictures: pictures, side: (Double(pixels) / Double(pictures)).squareRoot(), channels: channels)
  }
}
