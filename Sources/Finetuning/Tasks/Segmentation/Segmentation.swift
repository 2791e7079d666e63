import Autodiff
import Compute
import Networks
import Parallel
import Schemas
import Settings
import TensorStream
import Training

/// A class for each pixel: UPerNet on an encoder's blocks, and an auxiliary head, both by cross-entropy (BEiT's recipe in mmsegmentation).
public final class Segmentation: Task {
  public typealias Options = SegmentationOptions

  /// Views with their masks.
  public struct Examples {
    public let images: ImageBatch
    /// [B, height, width].
    public let masks: [UInt8]
    public let index: [Int64]
    /// Which channels are kept before the classes, of the head and of the auxiliary one, [B · C] each.
    public var keep: (head: [UInt8], auxiliary: [UInt8])?
    /// Which samples keep each block's branches, where the stream says it.
    public let keeps: [BranchKeep]?
  }

  public static let name = SegmenterFile.task
  public static let summary = "a class for each pixel, by UPerNet"
  /// What a stream may bring along: kept channels of the head and of the auxiliary one, [n, C], and kept branches [n, depth, 2].
  private static let draws = (head: "keep", auxiliary: "keep_aux", branches: "keeps")

  public let segmenter: Segmenter
  private let options: SegmentationOptions
  private let seed: UInt64

  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Segmentation>, engine: Engine
  ) {
    (options, seed) = (configuration.options, configuration.seed)
    precondition(options.network.classes == classes)
    segmenter = Segmenter(encoder, options.network, engine: engine, trained: true)
    segmenter.initialiseHeads(seed: seed, part: headPart)
  }

  public var encoder: Encoder { segmenter.backbone.encoder }
  public var model: [Part] { segmenter.parts.map { Part($0.prefix, $0.network) } }
  public var parts: [Part] { model }
  public func isTrained(_ parameter: Parameter) -> Bool { segmenter.backbone.uses(parameter) }

  public static func classNames(_ header: Record, source: String) throws -> [String]? {
    try MaskClasses.of(header, source: source)?.names
  }

  public static func views(_ reader: StreamReader, _ asked: AskedViews) throws -> MaskedViews {
    let views = try MaskedViews(
      reader, view: asked.view, masks: .ofViews(patch: asked.encoder.patch), channels: asked.encoder.channels,
      normalisation: asked.normalisation, draws: [draws.head, draws.auxiliary, draws.branches],
      mayBeginWithin: asked.mayBeginWithin)
    if views.classes.count != asked.classes {
      throw Failure(
        .data, "\(reader.name): masks of \(views.classes.count) classes, but --classes says \(asked.classes)")
    }
    return views
  }

  public static func metadata(
    _ encoder: EncoderConfiguration, _ configuration: FinetuningConfiguration<Segmentation>, classes: Int,
    classNames: [String]?, views: MaskedViews
  ) throws -> [String: String] {
    try SegmenterFile.metadata(
      encoder: encoder, configuration.options.network, normalisation: views.normalisation, classes: views.classes)
  }

  public func take(_ count: Int, from views: MaskedViews) throws -> Examples {
    let place = "\(views.batches.reader.name): row \(views.batches.position)"
    let batch = try views.take(count)
    let side = 2 * encoder.configuration.patch
    if batch.images.height < side || batch.images.width < side {
      throw Failure(
        .data,
        "\(place): views of \(batch.images.height) × \(batch.images.width): expected two patches a side at least, \(side)"
      )
    }
    let c = encoder.configuration
    if c.positions == .learned, (batch.images.height, batch.images.width) != (c.image, c.image) {
      throw Failure(
        .data,
        "\(place): views of \(batch.images.height) × \(batch.images.width), but the learned positions are for \(c.image): "
          + "--image resamples them")
    }
    func flags(_ name: String, _ width: Int) throws -> [UInt8]? {
      guard let found = batch.draws[name] else { return nil }
      guard found.count == count * width, found.allSatisfy({ 0...1 ~= $0 }) else {
        throw Failure(.data, "\(place): \"\(name)\": expected \(width) of 0 and 1 a row, found \(found.count / count)")
      }
      return found.map { UInt8($0) }
    }
    let depth = encoder.configuration.depth
    let branches = try flags(Self.draws.branches, 2 * depth)
    let head = try flags(Self.draws.head, options.network.channels)
    let auxiliary = try flags(Self.draws.auxiliary, options.network.auxiliaryChannels)
    if (head == nil) != (auxiliary == nil) {
      throw Failure(.data, "\(place): one of \"\(Self.draws.head)\" and \"\(Self.draws.auxiliary)\" without the other")
    }
    return Examples(
      images: batch.images, masks: batch.masks, index: batch.index,
      keep: head.flatMap { head in auxiliary.map { (head, $0) } },
      keeps: branches.map { flags in
        (0..<depth).map { block in
          func kept(_ branch: Int) -> [Int32] {
            (0..<Int32(count)).filter { flags[(Int($0) * depth + block) * 2 + branch] == 1 }
          }
          return BranchKeep(attention: kept(0), mlp: kept(1))
        }
      })
  }

  public func index(of examples: Examples) -> [Int64] { examples.index }
  public func size(of examples: Examples) -> (height: Int, width: Int)? {
    (examples.images.height, examples.images.width)
  }

  /// Draws the channels that are kept, where the stream does not say them.
  public func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples] {
    let c = options.network
    return batch.map { examples in
      if examples.keep != nil || c.dropout == 0 { return examples }
      var (drawn, head, auxiliary) = (examples, [UInt8](), [UInt8]())
      for var random in randomNumbers(examples.index, seed: seed, epoch: place.epoch, .dropout) {
        for _ in 0..<c.channels { head.append(random.uniform() >= c.dropout ? 1 : 0) }
        for _ in 0..<c.auxiliaryChannels { auxiliary.append(random.uniform() >= c.dropout ? 1 : 0) }
      }
      drawn.keep = (head, auxiliary)
      return drawn
    }
  }

  public func losses(_ tape: Tape, _ examples: Examples, keeps: [BranchKeep]?) -> LossTerms {
    let (height, width) = (examples.images.height, examples.images.width)
    func loss(_ logits: FeatureMap) -> PixelLoss {
      tape.pixelCrossEntropy(
        logits, labels: examples.masks, height: height, width: width, ignored: MaskClasses.ignored,
        average: options.average)
    }
    let features = segmenter.features(tape, examples.images, keeps: examples.keeps ?? keeps)
    let head = loss(segmenter.head(tape, features, keep: examples.keep?.head))
    let auxiliary = loss(segmenter.auxiliary(tape, features[2], keep: examples.keep?.auxiliary))
    // As mmsegmentation logs it, the weight within.
    return LossTerms(
      [
        .init("loss_seg", head.loss), .init("loss_aux", auxiliary.loss.scaled(by: options.auxiliaryWeight)),
      ], shown: [Figure("accuracy", head.valid == 0 ? 0 : Double(head.hits) / Double(head.valid))])
  }
}
