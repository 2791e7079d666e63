import Autodiff
import Compute
import Foundation
import Networks
import TensorStream

/// All weights of a classifier trained on labelled views with AdamW (β 0.9 and 0.999), layer-wise decay of the learning rate,
/// drop path, and label smoothing, as MAE and BEiT fine-tune.
public final class FullFinetuning {
  public let classifier: Classifier
  private let configuration: FinetuningConfiguration
  private let engine: Engine
  private let optimizer: AdamW

  /// - Parameter encoder: its drop path is set and its weights are trained; they must have been made with `trained: true`.
  public init(
    _ encoder: Encoder, classes: Int, configuration: FinetuningConfiguration, engine: Engine
  ) throws {
    try configuration.validate()
    precondition(configuration.mode == .full)
    self.configuration = configuration
    self.engine = engine
    classifier = Classifier(
      encoder, classes: classes, pooling: configuration.pooling, engine: engine, trained: true)
    initialiseNormal(classifier.headNetwork, seed: configuration.seed, part: headPart)
    let depth = encoder.configuration.depth
    let scaled = classifier.parameters.map { parameter in
      (parameter, rateScale(of: parameter.name, depth: depth, decay: configuration.layerDecay))
    }
    optimizer = AdamW(scaled, weightDecay: configuration.weightDecay, beta2: 0.999, engine: engine)
  }

  /// Trains for the configuration's epochs, the rows in the order of the stream. What is left of an epoch after its last whole
  /// batch is passed over.
  /// - Parameters:
  ///   - limit: stop after that many steps.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Returns: whether it came to its end, rather than being stopped.
  public func train(on views: LabelledViews, limit: Int? = nil, onStep: (StepReport) -> Bool) throws -> Bool {
    let c = configuration
    let batches = views.batches
    let stepsPerEpoch = try Networks.stepsPerEpoch(
      rows: batches.rowsPerEpoch, batch: c.batch, source: batches.reader.name)
    if batches.epochs < c.epochs {
      throw Failure(
        .data, "\(batches.reader.name): holds \(batches.epochs) epochs, but --epochs asks for \(c.epochs)")
    }
    let total = c.epochs * stepsPerEpoch
    let end = min(limit ?? total, total)
    let names = classifier.parameters.map(\.name)
    let step = TrainingStep(
      optimizer: optimizer, names: names, labelSmoothing: c.labelSmoothing, precision: engine.precision)
    while optimizer.steps < end {
      let start = Date()
      let epoch = optimizer.steps / stepsPerEpoch
      let rate = learningRate(
        peak: c.learningRate, epoch: Double(optimizer.steps) / Double(stepsPerEpoch), warmup: c.warmupEpochs,
        epochs: Double(c.epochs))
      let batch = try engine.measure(.input) {
        try (0..<c.accumulate).map { _ in try views.take(c.batch / c.accumulate) }
      }
      let (loss, accuracy) = try step(labels: batch.map(\.labels), rate: rate, engine: engine) { tape, part in
        let keeps = classifier.encoder.drawKeeps(
          batch[part].index.map {
            CounterRandom(seed: c.seed, epoch: epoch, sample: Int($0), purpose: Purpose.dropPath.rawValue)
          })
        return classifier(tape, batch[part].images, keeps: keeps)
      }
      if optimizer.steps % stepsPerEpoch == 0 { try batches.skip(batches.rowsPerEpoch - stepsPerEpoch * c.batch) }
      let report = StepReport(
        step: optimizer.steps, epoch: epoch, loss: loss, accuracy: accuracy, learningRate: rate,
        seconds: elapsed(since: start), batch: c.batch)
      if onStep(report) { return false }
    }
    if batches.position == batches.epochs * batches.rowsPerEpoch { try batches.finish() }
    return true
  }
}

/// The number of a classifier's head among the networks that are initialised.
let headPart = 100

/// BEiT's layer-wise decay: tokens and patches are layer 0, block i layer i + 1, norm and head the layer above the last block,
/// whose rate is whole.
public func rateScale(of name: String, depth: Int, decay: Double) -> Double {
  let parts = name.split(separator: ".")
  let layer: Int
  switch parts[0] {
  case "cls_token", "pos_embed", "patch_embed": layer = 0
  case "blocks": layer = (parts.count > 1 ? Int(parts[1]) : nil).map { $0 + 1 } ?? depth + 1
  default: layer = depth + 1
  }
  return pow(decay, Double(depth + 1 - layer))
}
