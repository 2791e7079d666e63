import Networks
import Schemas
import TensorStream

/// One recipe of a `views` stream as what an encoder reads, with labels: the input of fine-tuning and evaluation.
///
///     let engine = Engine(threads: 2)
///     let file = try WeightsFile(path: "encoder.stz")
///     let encoder = Encoder(file.encoder, engine: engine, trained: false)
///     try file.load(into: encoder)
///     let views = try LabelledViews(
///       StreamReader(path: "centers.stz"), preferred: ["center"], encoder: file.encoder, normalisation: file.normalisation,
///       labels: .known)
///     let batch = try views.take(16)
///     print(FeatureExtractor(encoder, pooling: .mean)(batch.images, engine: engine).values(ofRow: 0), batch.labels)
public final class LabelledViews: ModelViews {
  public let batches: ViewBatches
  /// The recipe that is read.
  public let view: String
  public let normalisation: Normalisation
  /// The sets of classes that labels stand for; nil where a row has one class.
  public let sets: LabelSets?
  private let labels: Labels

  /// Which labels a row must have.
  public enum Labels: Sendable {
    /// From 0 to below the number of classes.
    case below(Int)
    /// From 0.
    case known
    /// From 0 to below the number of classes; or sets of classes (`LabelSets`).
    case classesOrSets(below: Int)
    /// Any or none.
    case optional
  }

  /// Some rows.
  public struct Batch {
    public let images: ImageBatch
    /// A label each; empty where the stream has none.
    public let labels: [Int32]
    /// Each row's number in the set of images.
    public let index: [Int64]
    /// The file of each row's picture; nil where the stream has no names.
    public let names: RowNames?
  }

  /// - Parameters:
  ///   - view: the recipe; nil for the stream's only one, or of several the first of `preferred` that is there.
  ///   - encoder: what the views have to fit.
  ///   - normalisation: the model's; nil for the stream's own.
  ///   - mayBeginWithin: whether the stream may begin in the middle of an epoch.
  /// - Throws: `Failure(.data)` naming what is missing or does not fit.
  public convenience init(
    _ reader: StreamReader, view: String? = nil, preferred: [String], encoder: EncoderConfiguration,
    normalisation: Normalisation?, labels: Labels, mayBeginWithin: Bool = false
  ) throws {
    try self.init(
      reader, view: view, preferred: preferred, side: encoder.image, channels: encoder.channels,
      normalisation: normalisation, labels: labels, mayBeginWithin: mayBeginWithin)
  }

  /// The same for what is no encoder.
  /// - Parameters:
  ///   - side: of the views, in pixels.
  ///   - channels: of the views.
  public init(
    _ reader: StreamReader, view: String? = nil, preferred: [String], side: Int, channels: Int,
    normalisation: Normalisation?, labels: Labels, mayBeginWithin: Bool = false
  ) throws {
    let name = reader.name
    let header = try ViewsHeader(reader.header, source: name)
    let chosen = try header.chosen(view, preferred: preferred, channels: channels, source: name)
    self.view = chosen
    batches = try ViewBatches(reader, views: [ViewNeed(chosen, side: side)], channels: channels)
    try header.requireWholeEpochs(mayBeginWithin, source: name)
    sets = header.labelSets
    switch labels {
    case .below, .known:
      guard sets == nil else {
        throw Failure(
          .data,
          "\(name): its labels are sets of classes (pmae-pack --label-separator): expected a class for each row, which "
            + "all but pmae-finetune and pmae-evaluate classify need")
      }
    case .classesOrSets, .optional: break
    }
    self.normalisation = normalisation ?? batches.normalisation
    self.labels = labels
  }

  /// The next `count` rows.
  /// - Throws: `Failure(.data)` where the stream ends before, or a label is missing or out of range.
  public func take(_ count: Int) throws -> Batch {
    let start = batches.position
    let rows = try batches.take(count)
    try check(rows.label, from: start, count: rows.count)
    let images = rows.images(view, of: batches, normalisation: normalisation)
    return Batch(images: images, labels: rows.label, index: rows.index, names: rows.names)
  }

  private func check(_ found: [Int32], from start: Int, count: Int) throws {
    let name = batches.reader.name
    let limit: Int
    switch labels {
    case .optional where found.isEmpty || found.count == count: return
    case .below(let classes): limit = classes
    case .classesOrSets(let classes): limit = sets?.members.count ?? classes
    case .known, .optional: limit = .max
    }
    guard found.count == count else {
      throw Failure(
        .data,
        "\(name): no labels: expected views that pmae-augment made with labels, of pictures that pmae-pack found labels for"
      )
    }
    if let bad = found.firstIndex(where: { $0 < 0 || $0 >= limit }) {
      let expected = limit == .max ? "0 or more" : "0 to \(limit - 1)"
      throw Failure(.data, "\(name): row \(start + bad): the label is \(found[bad]), expected \(expected)")
    }
  }
}
