import Autodiff
import Compute
import Foundation
import Networks
import Parallel
import TensorStream

/// A linear layer trained on the features of a frozen encoder. The features are computed in the engine's precision, the layer is
/// trained in float32: it costs nothing, and it is what is measured.
///
/// The features are standardised first, each of the D to mean 0 and variance 1 over the training set, as MAE's probe does with
/// a batch norm that has no weights; here the statistics are those of the whole set, not running ones. At the end the
/// standardisation is folded into the layer, so that the model is a plain one.
///
/// Views of one epoch are computed once, and all passes of training go over their features, which is why a probe takes a
/// minute where fine-tuning takes hours. Views of several epochs (random crops) give each pass its own features; the
/// statistics are the first epoch's.
public final class LinearProbe {
  public let classifier: Classifier
  private let configuration: FinetuningConfiguration
  private let engine: Engine
  private let extractor: FeatureExtractor
  private let optimizer: AdamW
  private var scaling: Standardisation?

  /// - Parameter encoder: made with `trained: false`, its weights set.
  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration, engine: Engine
  ) throws {
    try configuration.validate()
    precondition(configuration.mode == .linear)
    self.configuration = configuration
    self.engine = engine
    classifier = Classifier(
      encoder, classes: classes, pooling: configuration.pooling, engine: engine, trained: true)
    initialiseNormal(classifier.headNetwork, seed: configuration.seed, part: headPart)
    extractor = FeatureExtractor(encoder, pooling: configuration.pooling)
    let head = classifier.head
    optimizer = AdamW(
      [(head.weight, 1), (head.bias, 1)], weightDecay: configuration.weightDecay, beta2: 0.999, engine: engine)
  }

  /// Computes features and trains on them.
  /// - Parameters:
  ///   - limit: stop after that many steps.
  ///   - onImages: called with the number of images of this epoch whose features are there; returning true stops.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Returns: whether it came to its end; only then the classifier is complete.
  public func train(
    on views: LabelledViews, limit: Int? = nil, onImages: (Int) -> Bool = { _ in false },
    onStep: (StepReport) -> Bool
  ) throws -> Bool {
    let batches = views.batches
    if batches.epochs > 1 && batches.epochs < configuration.epochs {
      throw Failure(
        .data,
        "\(batches.reader.name): holds \(batches.epochs) epochs, but --epochs asks for \(configuration.epochs): "
          + "make as many, or one, which is used again and again")
    }
    let total = configuration.epochs * max(batches.rowsPerEpoch / configuration.batch, 1)
    let end = min(limit ?? total, total)
    var set: (features: Tensor, labels: [Int32])?
    for pass in 0..<configuration.epochs where optimizer.steps < end || set == nil {
      if pass < batches.epochs {
        set = nil
        guard
          let features = try extractor.features(
            of: views, count: batches.rowsPerEpoch, engine: engine, onChunk: onImages)
        else { return false }
        // The end record is read before the first step, so that nothing is trained on a stream that is not whole.
        if batches.epochs == 1 { try batches.finish() }
        set = (prepared(features.tensor(engine)), features.labels)
      }
      guard let set else { preconditionFailure("the first pass has features") }
      if try !train(on: set.features, labels: set.labels, epoch: pass, end: end, source: batches.reader.name, onStep) {
        return false
      }
    }
    if batches.position == batches.epochs * batches.rowsPerEpoch { try batches.finish() }
    finish()
    return true
  }

  /// Trains on features that are there already.
  /// - Returns: whether it came to its end; only then the classifier is complete.
  public func train(on features: Features, limit: Int? = nil, onStep: (StepReport) -> Bool = { _ in false }) throws
    -> Bool
  {
    let set = prepared(features.tensor(engine))
    for pass in 0..<configuration.epochs {
      if try !train(
        on: set, labels: features.labels, epoch: pass, end: limit ?? .max, source: "the features", onStep)
      {
        return false
      }
    }
    finish()
    return true
  }

  private func prepared(_ features: Tensor) -> Tensor {
    let scaling = self.scaling ?? Standardisation(of: features, engine: engine)
    self.scaling = scaling
    scaling.apply(to: features, engine: engine)
    return features
  }

  private func finish() {
    scaling?.fold(into: classifier.head)
    scaling = nil
  }

  /// One pass in an order of its own. What is left after the last whole batch is passed over.
  private func train(
    on features: Tensor, labels: [Int32], epoch: Int, end: Int, source: String, _ onStep: (StepReport) -> Bool
  ) throws -> Bool {
    let c = configuration
    let steps = try stepsPerEpoch(rows: features.rows, batch: c.batch, source: source)
    var random = CounterRandom(seed: c.seed, epoch: epoch, sample: 0, purpose: Purpose.shuffle.rawValue)
    let order = random.permutation(features.rows).map(Int32.init)
    let step = TrainingStep(
      optimizer: optimizer, names: ["head.weight", "head.bias"], labelSmoothing: c.labelSmoothing,
      precision: .float32)
    let head = classifier.head
    for i in 0..<steps where optimizer.steps < end {
      let start = ContinuousClock.now
      let rows = Array(order[i * c.batch..<(i + 1) * c.batch])
      let rate = learningRate(
        peak: c.learningRate, epoch: Double(epoch) + Double(i) / Double(steps), warmup: c.warmupEpochs,
        epochs: Double(c.epochs))
      let (loss, accuracy) = try step(labels: [rows.map { labels[Int($0)] }], rate: rate, engine: engine) { tape, _ in
        tape.linear(tape.gatherRows(features, rows), head.weight.tensor, head.bias.tensor)
      }
      let report = StepReport(
        step: optimizer.steps, epoch: epoch, loss: loss, accuracy: accuracy, learningRate: rate,
        seconds: elapsed(since: start), batch: c.batch)
      if onStep(report) { return false }
    }
    return true
  }
}
