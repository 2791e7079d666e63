import Networks
import Schemas
import TensorStream

/// One recipe of a `views` stream with a mask of class ids for each view: the input of segmentation.
public final class MaskedViews: ModelViews {
  public let batches: ViewBatches
  public let view: String
  public let normalisation: Normalisation
  public let classes: MaskClasses
  private let masks: Masks

  /// What views are of, and which masks they have.
  public enum Masks: Equatable, Sendable {
    /// Views whose sides are multiples of a patch, each with a mask of its own size.
    case ofViews(patch: Int)
    /// Whole pictures of any size, one a record, with masks of the pictures' own size where there are any, of these classes where the
    /// stream names none.
    case ofPictures(classes: MaskClasses)
  }

  /// Some rows.
  public struct Batch {
    public let images: ImageBatch
    /// [count, height, width] of class ids, 255 for none; empty where the stream has no masks.
    public let masks: [UInt8]
    /// Of each picture itself, which predictions are made for.
    public let height: Int
    public let width: Int
    /// Each row's number in the set of images.
    public let index: [Int64]
    public let names: RowNames?
    /// Draws that the stream brings along, each [count · N].
    public let draws: [String: [Int32]]
  }

  /// - Parameters:
  ///   - view: the recipe; nil for the stream's only one, or of several the first of `preferred` that is there.
  ///   - normalisation: the model's; nil for the stream's own.
  ///   - draws: the names of draws that are taken where the stream has them.
  ///   - mayBeginWithin: whether the stream may begin in the middle of an epoch.
  /// - Throws: `Failure(.data)` naming what is missing or does not fit.
  public init(
    _ reader: StreamReader, view: String? = nil, preferred: [String] = [], masks: Masks, channels: Int,
    normalisation: Normalisation?, draws: [String] = [], mayBeginWithin: Bool = false
  ) throws {
    let name = reader.name
    let header = try ViewsHeader(reader.header, source: name)
    let known: MaskClasses? = if case .ofPictures(let classes) = masks { classes } else { nil }
    guard let classes = header.masks ?? known else {
      throw Failure(.data, "\(name): views without masks: pmae-pack --masks puts them beside the pictures")
    }
    let chosen = try header.chosen(view, preferred: preferred, channels: channels, source: name)
    try header.requireWholeEpochs(mayBeginWithin, source: name)
    let multiple = if case .ofViews(let patch) = masks { patch } else { 1 }
    batches = try ViewBatches(
      reader, views: [.anyShape(chosen, multiple: multiple)], draws: draws + [MaskTensors.size], masked: chosen,
      channels: channels)
    (self.view, self.classes, self.masks) = (chosen, classes, masks)
    self.normalisation = normalisation ?? batches.normalisation
  }

  /// The next `count` rows.
  /// - Throws: `Failure(.data)` where the stream ends before, views are of several sizes, or a mask is missing, of another size, or holds
  ///   what is no class.
  public func take(_ count: Int) throws -> Batch {
    let place = "\(batches.reader.name): row \(batches.position)"
    let rows = try batches.take(count)
    let images = rows.images(view, of: batches, normalisation: normalisation)
    var (height, width) = (images.height, images.width)
    if case .ofPictures = masks {
      if let size = rows.draws[MaskTensors.size], size.count == 2 {
        guard size.allSatisfy({ 1...1 << 28 ~= $0 }), Int(size[0]) * Int(size[1]) <= 1 << 28 else {
          throw Failure(.data, "\(place): size holds \(size): expected a height and a width")
        }
        (height, width) = (Int(size[0]), Int(size[1]))
      } else if !rows.masks.isEmpty {
        (height, width) = (rows.maskHeight, rows.maskWidth)
      }
    } else if rows.masks.isEmpty {
      throw Failure(.data, "\(place): no tensor \"\(MaskTensors.mask(of: view))\"")
    }
    guard rows.masks.isEmpty || rows.maskHeight == height && rows.maskWidth == width else {
      throw Failure(
        .data, "\(place): a mask of \(rows.maskHeight) × \(rows.maskWidth): expected \(height) × \(width)")
    }
    return Batch(
      images: images, masks: rows.masks, height: height, width: width, index: rows.index, names: rows.names,
      draws: rows.draws)
  }
}
