import Autodiff
import Compute
import Foundation
import Networks
import Parallel
import TensorStream

/// All weights of a classifier trained on labelled views with AdamW (β 0.9 and 0.999), layer-wise decay of the learning rate,
/// drop path, label smoothing, mixup and CutMix, as MAE and BEiT fine-tune.
public final class FullFinetuning {
  public let classifier: Classifier
  let configuration: FinetuningConfiguration
  private let engine: Engine
  var precision: Precision { engine.precision }
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
  ///   - limit: stop after that many steps of the whole run.
  ///   - checkpoints: where the run is kept; its epochs are then those of the stream by their numbers. Without, they count from
  ///     the stream's first.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Returns: whether it came to its end, rather than being stopped.
  public func train(
    on views: LabelledViews, limit: Int? = nil, checkpoints: FinetuningCheckpoints? = nil,
    signals: TrainingSignals = TrainingSignals(), onStep: (StepReport) throws -> Bool
  ) throws -> Bool {
    let c = configuration
    let batches = views.batches
    let stepsPerEpoch = try Networks.stepsPerEpoch(
      rows: batches.rowsPerEpoch, batch: c.batch, source: batches.reader.name)
    let firstEpoch = checkpoints == nil ? 0 : batches.firstEpoch
    let total = c.epochs * stepsPerEpoch
    let end = min(limit ?? total, total)
    let writer = try checkpoints?.start(stepsPerEpoch: stepsPerEpoch, steps: optimizer.steps)
    func save() throws {
      try writer?.write(step: optimizer.steps, tensors: state.tensors)
    }
    /// Does something with the views; where that fails, the steps that were taken are saved first.
    func reading<R>(_ body: () throws -> R) throws -> R {
      do {
        return try body()
      } catch {
        try writer?.saveBeforeFailure(step: optimizer.steps, tensors: state.tensors)
        throw error
      }
    }
    if optimizer.steps < end {
      try checkCoverage(batches, firstEpoch: firstEpoch, epochs: c.epochs, next: optimizer.steps / stepsPerEpoch)
      let start =
        (optimizer.steps / stepsPerEpoch - firstEpoch) * batches.rowsPerEpoch
        + optimizer.steps % stepsPerEpoch * c.batch
      guard start >= batches.position else {
        throw Failure(
          .data,
          "\(batches.reader.name): begins at row \(batches.firstRow) of epoch \(batches.firstEpoch), but the run goes on at row \(start)"
        )
      }
      try batches.skip(start - batches.position)
    }
    let names = classifier.parameters.map(\.name)
    let step = TrainingStep(
      optimizer: optimizer, names: names, labelSmoothing: c.labelSmoothing, precision: engine.precision)
    var stopped = false
    while optimizer.steps < end && !stopped {
      let start = ContinuousClock.now
      let epoch = optimizer.steps / stepsPerEpoch
      let rate = learningRate(
        peak: c.learningRate, epoch: Double(optimizer.steps) / Double(stepsPerEpoch), warmup: c.warmupEpochs,
        epochs: Double(c.epochs))
      let batch = try reading {
        try engine.measure(.input) {
          try (0..<c.accumulate).map { _ in try views.take(c.batch / c.accumulate) }
        }
      }
      let drawn = Mixing(mixup: c.mixup, cutmix: c.cutmix).draw(
        seed: c.seed, epoch: epoch, step: optimizer.steps % stepsPerEpoch, side: batches.side)
      let mixed = drawn.map { ($0(batch), $0.share) }
      let (loss, accuracy) = try step(
        labels: batch.map(\.labels), mixed: mixed.map { ($0.0.others, $0.1) }, rate: rate, engine: engine
      ) { tape, part in
        let keeps = classifier.encoder.drawKeeps(
          batch[part].index.map {
            CounterRandom(seed: c.seed, epoch: epoch, sample: Int($0), purpose: Purpose.dropPath.rawValue)
          })
        return classifier(tape, mixed?.0.images[part] ?? batch[part].images, keeps: keeps)
      }
      let report = StepReport(
        step: optimizer.steps, epoch: epoch, loss: loss, accuracy: accuracy, learningRate: rate,
        seconds: elapsed(since: start), batch: c.batch)
      try writer?.log.write(report.json)
      stopped = try onStep(report) || signals.stopRequested()
      let isEpochEnd = optimizer.steps % stepsPerEpoch == 0
      let isAsked = signals.checkpointRequested()
      if isEpochEnd || stopped || isAsked || optimizer.steps == end || writer?.isDue(after: optimizer.steps) == true {
        try save()
      }
      try writer?.check()
      if isEpochEnd { try reading { try batches.skip(batches.rowsPerEpoch - stepsPerEpoch * c.batch) } }
    }
    try save()
    try writer?.wait()
    if !stopped && batches.position == batches.epochs * batches.rowsPerEpoch { try batches.finish() }
    return !stopped
  }

  /// Continues where a checkpoint was written.
  func load(_ checkpoint: CheckpointFile) throws { try state.load(from: checkpoint) }

  private var state: TrainingState {
    TrainingState(
      parts: [Part("classifier.", classifier)], optimizer: optimizer, names: classifier.parameters.map(\.name))
  }

  private func checkCoverage(_ batches: ViewBatches, firstEpoch: Int, epochs: Int, next: Int) throws {
    if firstEpoch > next || firstEpoch + batches.epochs < epochs {
      let held =
        firstEpoch == 0 && batches.firstRow == 0
        ? "\(batches.epochs) epochs" : "epochs \(firstEpoch) to \(firstEpoch + batches.epochs - 1)"
      throw Failure(
        .data,
        "\(batches.reader.name): holds \(held), but --epochs asks for \(epochs)\(next > 0 ? ", and the run goes on in epoch \(next)" : "")"
      )
    }
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
