import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// A linear layer that is trained on the features of a frozen encoder. The features are computed in the engine's
/// precision. The layer is trained in float32: that costs nothing, and the layer is what is measured.
///
/// The features are standardised first: each of the D has mean 0 and variance 1 over the training set. Or it has them over
/// each batch: that is the batch norm without weights of MAE's probe, whose running statistics are then the model's. At the
/// end the standardisation is folded into the layer, so that the model is a plain one.
///
/// Several ranks share the work of computing features. Each then has all of them, and trains on its rows of every batch.
///
/// Views of one epoch are computed once, and all passes of training go over their features. So a probe takes a minute
/// where fine-tuning takes hours. Views of several epochs (random crops) give each pass its own features; the
/// statistics are those of the first epoch.
public final class LinearProbe: Trainee {
  public let classifier: Classifier
  public let optimizer: any Optimizer
  let configuration: FinetuningConfiguration<Classification>
  let engine: Engine
  let extractor: FeatureExtractor
  let share: BatchShare
  /// The features' mean and deviation; set by the first epoch's features, or by a checkpoint.
  let scaling: Standardisation

  /// - Parameter encoder: made with `trained: false`, its weights set.
  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration<Classification>, engine: Engine
  ) throws {
    try configuration.validate()
    precondition(configuration.mode == .linear)
    self.configuration = configuration
    self.engine = engine
    share = try BatchShare(
      batch: configuration.batch, ranks: engine.ranks,
      whole: configuration.standardising == .batch ? "--standardise batch is over the whole batch" : nil)
    classifier = Classifier(
      encoder, classes: classes, pooling: configuration.options.pooling, engine: engine, trained: true)
    initialiseNormal(classifier.headNetwork, seed: configuration.seed, part: headPart)
    extractor = FeatureExtractor(encoder, pooling: configuration.options.pooling)
    scaling = Standardisation(width: extractor.width, engine: engine)
    let head = classifier.head
    let trained = [head.weight, head.bias].map { TrainedParameter($0.name, $0) }
    let decay = configuration.weightDecay
    optimizer =
      switch configuration.rule {
      case .adamW: AdamW(trained, weightDecay: decay, beta2: 0.999, engine: engine)
      case .momentum: Momentum(trained, weightDecay: decay, engine: engine)
      case .lars: Momentum(trained, weightDecay: decay, trust: 0.001, engine: engine)
      }
  }

  /// The head and the standardisation: the encoder is frozen, and stands in its own file.
  public var parts: [Part] { [Part("classifier.", classifier.headNetwork), Part("standardisation.", scaling)] }

  /// This rank's rows of a batch, part after part, and the features of their epoch.
  public struct Batch {
    let features: Tensor
    let parts: [(rows: [Int32], targets: ClassTargets)]
  }

  /// Computes features and trains on them.
  /// - Parameters:
  ///   - limit: stop after that many steps.
  ///   - record: where the run is kept; nil where it is not.
  ///   - onImages: called with the number of images of this epoch whose features are there; returning true stops.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Returns: whether it came to its end; only then the classifier is complete.
  public func train(
    on views: LabelledViews, limit: Int? = nil, keeping record: RunRecord? = nil,
    signals: TrainingSignals = TrainingSignals(), onImages: @escaping (Int) -> Bool = { _ in false },
    onStep: (StepReport) throws -> Bool
  ) throws -> Bool {
    let source = ProbeSource(self, views: views, onImages: onImages)
    return try train(on: source, limit: limit, keeping: record, signals: signals, onStep: onStep)
  }

  /// Trains on features that are there already.
  /// - Returns: whether it came to its end; only then the classifier is complete.
  public func train(
    on features: Features, limit: Int? = nil, onStep: (StepReport) throws -> Bool = { _ in false }
  ) throws -> Bool {
    try train(on: ProbeSource(self, features: features), limit: limit, onStep: onStep)
  }

  private func train(
    on source: ProbeSource, limit: Int?, keeping record: RunRecord? = nil, signals: TrainingSignals = TrainingSignals(),
    onStep: (StepReport) throws -> Bool
  ) throws -> Bool {
    let c = configuration
    let loop = TrainingLoop(
      batch: c.batch, epochs: c.epochs,
      schedule: Classification.schedule(c), limit: limit, engine: engine)
    do {
      if try !loop.run(self, on: source, keeping: record, signals: signals, onStep: onStep).isComplete { return false }
    } catch is ProbeSource.GivenUp {
      return false
    }
    scaling.fold(into: classifier.head)
    return true
  }

  public func gradients(of batch: Batch, at place: StepPlace) throws -> StepLosses {
    let head = classifier.head
    return Training.gradients(parts: batch.parts.count, engine: engine, precision: .float32) { tape, part in
      let (rows, targets) = batch.parts[part]
      var features = tape.gatherRows(batch.features, rows)
      if configuration.standardising == .batch {
        let (standard, statistics) = tape.batchNorm(features, epsilon: Float(Standardisation.epsilon))
        scaling.follow(statistics)
        features = standard
      }
      let logits = tape.linear(features, head.weight.tensor, head.bias.tensor)
      return classificationLoss(tape, logits, targets, options: configuration.options)
    }
  }

  public func update(at place: StepPlace) -> StepUpdate {
    StepUpdate(clip: configuration.clip.map { .whole($0) })
  }
}
