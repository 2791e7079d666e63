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

  /// - Throws: `Failure(.data)` where the stream has no picture, or does not say how large they are.
  public init(_ stream: IndexedStream) throws {
    let end = MetadataFields(stream.end, source: stream.name)
    guard stream.rows > 0 else { throw Failure(.data, "\(stream.name): no picture is in it") }
    guard let pixels: Int = try end.value("pixels"), pixels > 0 else {
      throw Failure(.data, "\(stream.name): its end does not say how many pixels there are: pack it again")
    }
    let header = try ImagesHeader(stream.header, source: stream.name)
    let channels: Int? = try header.shape?.channels ?? header.channels ?? end.value("channels")
    self.init(
      pictures: stream.rows, side: (Double(pixels) / Double(stream.rows)).squareRoot(), channels: channels ?? 3)
  }

  /// Several streams of one set.
  /// - Throws: `Failure(.data)` as for one.
  public init(paths: [String]) throws {
    let parts = try paths.map { try Self(IndexedStream(path: $0, kinds: [StreamKind.images.rawValue])) }
    let pictures = parts.reduce(0) { $0 + $1.pictures }
    let area = parts.reduce(0) { $0 + $1.side * $1.side * Double($1.pictures) } / Double(max(pictures, 1))
    self.init(
      pictures: pictures, side: area.squareRoot(), channels: parts.contains { $0.channels == 3 } ? 3 : 1)
  }
}
