import Compute
import Networks
import Schemas
import TensorStream
import Training

/// Views whose feature is their pixels: the row that says what an encoder has to beat. Nothing is learnt.
///
///     let engine = Engine(threads: 2)
///     let views = try PixelViews(StreamReader(path: "centers.stz"), labels: .known)
///     print(try views.features(100, engine: engine)?.width ?? 0)   // channels · side²
public struct PixelViews {
  public let views: LabelledViews
  public let side: Int
  public let channels: Int

  /// - Parameters:
  ///   - view: the recipe; nil for the stream's only one, or `center`.
  ///   - normalisation: what the pixels are normalised by; nil for the stream's own.
  /// - Throws: `Failure(.data)` as `LabelledViews` does, and where the views do not say how large they are.
  public init(
    _ reader: StreamReader, view: String? = nil, normalisation: Normalisation? = nil, labels: LabelledViews.Labels
  ) throws {
    let header = try ViewsHeader(reader.header, source: reader.name)
    guard let size = header.size, (1...1 << 14).contains(size) else {
      throw Failure(
        .data, "\(reader.name): the views have no \"size\" from 1 to 16,384, which --pixels needs: make them again")
    }
    guard let channels = (normalisation ?? header.normalisation)?.mean.count, channels == 1 || channels == 3 else {
      throw Failure(.data, "\(reader.name): the views have no \"mean\" and \"std\" of 1 or 3 channels")
    }
    (side, self.channels) = (size, channels)
    views = try LabelledViews(
      reader, view: view, preferred: ["center"], side: size, channels: channels, normalisation: normalisation,
      labels: labels)
  }

  /// Rows of an epoch.
  public var count: Int { views.batches.rowsPerEpoch }
  /// D = channels · side².
  public var width: Int { channels * side * side }

  /// The next `count` rows, each a channel after the other, row by row: (pixel / 255 − mean) / std.
  /// - Parameter onChunk: called with how many are done; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` as the views do, and where there are too many for memory.
  public func features(
    _ count: Int, engine: Engine, onChunk: (Int) -> Bool = { _ in false }
  ) throws -> Features? {
    try views.features(count, width: width, onChunk: onChunk) { images in
      // One patch that is the whole picture.
      patchRows(images, ids: [Int32](repeating: 0, count: images.count), patch: side, engine: engine)
    }
  }
}
