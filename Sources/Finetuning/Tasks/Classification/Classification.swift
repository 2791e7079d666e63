import Autodiff
import CKernels
import Compute
import Networks
import Ranks
import Schemas
import Settings
import TensorStream
import Training

/// Classes for each image: the encoder's pooled tokens, a linear layer, and cross-entropy or its binary form, with smoothed labels,
/// mixup and CutMix.
public final class Classification: Task {
  public typealias Options = ClassificationOptions

  /// Labelled images.
  public struct Examples {
    public var images: ImageBatch
    public var targets: ClassTargets
    public let index: [Int64]
  }

  public static let name = "classify"
  public static let summary = "a class for each picture, or a set of classes"
  public static let modes = FinetuningMode.allCases

  public let classifier: Classifier
  let options: ClassificationOptions
  private let seed: UInt64
  private let ranks: Ranks

  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Classification>, engine: Engine
  ) {
    (options, seed, ranks) = (configuration.options, configuration.seed, engine.ranks)
    classifier = Classifier(
      encoder, classes: classes, pooling: options.pooling, engine: engine, trained: true)
    initialiseNormal(classifier.headNetwork, seed: configuration.seed, part: headPart)
  }

  public var encoder: Encoder { classifier.encoder }
  public var model: [Part] { [Part("", classifier)] }

  public static func classNames(_ header: Record, source: String) throws -> [String]? {
    try ViewsHeader(header, source: source).labelSets?.names ?? ClassNames.of(header, source: source)
  }

  public static func views(_ reader: StreamReader, _ asked: AskedViews) throws -> LabelledViews {
    let views = try LabelledViews(
      reader, view: asked.view, preferred: ["simple"], encoder: asked.encoder, normalisation: asked.normalisation,
      labels: .classesOrSets(below: asked.classes), mayBeginWithin: asked.mayBeginWithin)
    if let sets = views.sets, asked.classes < sets.names.count {
      throw Failure(.usage, "--classes is \(asked.classes), but \(reader.name) has \(sets.names.count)")
    }
    return views
  }

  public static func metadata(
    _ encoder: EncoderConfiguration, _ configuration: FinetuningConfiguration<Classification>, classes: Int,
    classNames: [String]?, views: LabelledViews
  ) throws -> [String: String] {
    let options = configuration.options
    return try WeightsFile.metadata(
      encoder: encoder,
      head: WeightsFile.Head(classes: classes, pooling: options.pooling, isSigmoid: options.loss == .binary),
      normalisation: views.normalisation, classNames: classNames)
  }

  public static func probe(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Classification>, engine: Engine
  ) throws -> LinearProbe? {
    try LinearProbe(encoder, classes: classes, configuration: configuration, engine: engine)
  }

  public func take(_ count: Int, from views: LabelledViews) throws -> Examples {
    try take(count, from: views, sets: views.sets)
  }

  /// The same with the classes of sets at other places.
  func take(_ count: Int, from views: LabelledViews, sets: LabelSets?) throws -> Examples {
    let batch = try views.take(count)
    return Examples(images: batch.images, targets: ClassTargets(labels: batch.labels, sets: sets), index: batch.index)
  }

  public func index(of examples: Examples) -> [Int64] { examples.index }

  /// Image i goes with image B − 1 − i of the whole batch, so that its parts decide nothing. Of several ranks the first goes with the last,
  /// and so on: each pair swaps its images, so a rank reads its own rows alone, be they in a file or in a stream of their own.
  public func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples] {
    let count = batch[0].images.count
    let drawn = options.mixing.draw(
      seed: seed, epoch: place.epoch, step: place.stepOfEpoch, count: ranks.count * batch.count * count,
      side: batch[0].images.side)
    guard let drawn else { return batch }
    let partner = ranks.count - 1 - ranks.rank
    let theirs = batch.map { part in
      (
        pixels: ranks.swap(part.images.reversedPixels, with: partner),
        targets: ClassTargets(labels: ranks.swap(part.targets.labels, with: partner))
      )
    }
    return batch.indices.map { part in
      let other = theirs[batch.count - 1 - part]
      let first = (ranks.rank * batch.count + part) * count
      let mixes = Array(drawn[first..<first + count])
      var mixed = batch[part]
      mixed.images = mixed.images.mixed(with: other.pixels, by: mixes)
      mixed.targets = mixed.targets.mixed(with: other.targets, by: mixes)
      return mixed
    }
  }

  public func losses(_ tape: Tape, _ examples: Examples, keeps: [BranchKeep]?) -> LossTerms {
    classificationLoss(
      tape, classifier(tape, examples.images, keeps: keeps), examples.targets, options: options)
  }
}

/// The loss of logits [B, C] that the options say, and the share of the images whose label has the greatest logit.
func classificationLoss(
  _ tape: Tape, _ logits: Tensor, _ targets: ClassTargets, options: ClassificationOptions
) -> LossTerms {
  let said = logits.withMatrix { x in targets.labels.indices.map { Int32(pmae_argmax(x.row($0), x.columns)) } }
  let wanted = targets.tensor(
    classes: logits.columns, smoothing: options.labelSmoothing, engine: tape.engine)
  let loss =
    switch options.loss {
    case .crossEntropy: tape.softCrossEntropy(logits, labels: wanted)
    case .binary: tape.binaryCrossEntropy(logits, targets: wanted)
    }
  return LossTerms([.init(nil, loss)], shown: targets.accuracy(of: said).map { [Figure("accuracy", $0)] } ?? [])
}

/// The number of a classifier's head among the networks that are initialised.
let headPart = 100
