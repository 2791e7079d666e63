import Autodiff
import CKernels
import Compute
import Networks
import Training

/// A class for each image: the encoder's pooled tokens, a linear layer, and cross-entropy with smoothed labels, mixup and CutMix.
public final class Classification: Task {
  /// Labelled images.
  public struct Examples {
    public var images: ImageBatch
    public let labels: [Int32]
    public let index: [Int64]
    /// Where each image was mixed with another: the others' labels, and how much is its own.
    public var mixed: (others: [Int32], share: Double)?
  }

  public static let name = "classify"
  public static let mixesImages = true

  public let classifier: Classifier
  private let configuration: FinetuningConfiguration
  private let engine: Engine

  public init(_ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration, engine: Engine) {
    self.configuration = configuration
    self.engine = engine
    classifier = Classifier(
      encoder, classes: classes, pooling: configuration.pooling, engine: engine, trained: true)
    initialiseNormal(classifier.headNetwork, seed: configuration.seed, part: headPart)
  }

  public var encoder: Encoder { classifier.encoder }
  public var model: [Part] { [Part("", classifier)] }

  public func take(_ count: Int, from views: LabelledViews) throws -> Examples {
    let batch = try views.take(count)
    return Examples(images: batch.images, labels: batch.labels, index: batch.index)
  }

  public func index(of examples: Examples) -> [Int64] { examples.index }

  public func augmented(_ batch: [Examples], at place: StepPlace) -> [Examples] {
    let drawn = Mixing(mixup: configuration.mixup, cutmix: configuration.cutmix).draw(
      seed: configuration.seed, epoch: place.epoch, step: place.stepOfEpoch, side: batch[0].images.side)
    return drawn.map { $0(batch) } ?? batch
  }

  public func losses(_ tape: Tape, _ examples: Examples, keeps: [BranchKeep]?) -> LossTerms {
    classificationLoss(
      tape, classifier(tape, examples.images, keeps: keeps), labels: examples.labels, mixed: examples.mixed,
      smoothing: configuration.labelSmoothing)
  }
}

/// Cross-entropy of logits [B, C] with smoothed labels, and the share of the images whose label has the greatest logit.
func classificationLoss(
  _ tape: Tape, _ logits: Tensor, labels: [Int32], mixed: (others: [Int32], share: Double)? = nil, smoothing: Double
) -> LossTerms {
  let said = logits.withMatrix { x in labels.indices.map { Int32(pmae_argmax(x.row($0), x.columns)) } }
  func hits(_ labels: [Int32]) -> Double { Double(zip(said, labels).filter { $0 == $1 }.count) }
  let correct = mixed.map { $0.share * hits(labels) + (1 - $0.share) * hits($0.others) } ?? hits(labels)
  let targets = smoothedLabels(
    labels, mixed: mixed, classes: logits.columns, smoothing: smoothing, engine: tape.engine)
  return LossTerms(
    [.init(nil, tape.softCrossEntropy(logits, labels: targets))],
    shown: [Figure("accuracy", correct / Double(labels.count))])
}

/// The number of a classifier's head among the networks that are initialised.
let headPart = 100
