import Autodiff
import Compute
import Foundation
import Networks
import TensorStream

/// A pretraining run: views in, a run folder out. Every number depends on the configuration and the views alone, so that a
/// run that was stopped and resumed ends in the bits of one that was not.
public final class PretrainingRun {
  public let model: PseudoMAE
  public let optimizer: AdamW
  private let configuration: Configuration
  private let engine: Engine

  /// Fresh weights from the configuration's seed.
  /// - Parameter engine: of the configuration's precision.
  public init(_ configuration: Configuration, engine: Engine) throws {
    try configuration.validate()
    precondition(configuration.precision == engine.precision, "one precision for the run, another for its engine")
    self.configuration = configuration
    self.engine = engine
    model = PseudoMAE(configuration, engine: engine)
    optimizer = AdamW(model.trained.map { ($0.parameter, 1) }, weightDecay: configuration.weightDecay, engine: engine)
  }

  /// Steps taken so far.
  public var steps: Int { optimizer.steps }

  /// Start weights from a file, teachers too: the names of section "Names" of pmae-stream(5). An optimiser's are passed over.
  public func initialise(from path: String) throws {
    let record = try readTensors(path: path, kinds: ["weights", "checkpoint"])
    try load(model.parts, from: record, source: path) { $0.hasPrefix("optimizer.") }
  }

  /// Continues from a run folder's checkpoint.
  public func resume(from folder: RunFolder) throws {
    try Checkpoint.read(folder.checkpoint, into: model, optimizer)
  }

  /// The views that the configuration needs, opened; a batch must fit into an epoch.
  public func views(_ reader: StreamReader) throws -> ViewBatches {
    var recipes = ["simple"]
    if configuration.objective == .pseudoMAE && configuration.labelView == .complex {
      // Without weight, labels are made only for their figures: a stream without the view is enough then.
      let isNeeded = configuration.lambdaC != 0 || configuration.lambdaP != 0
      if try isNeeded || ViewBatches.has("complex", in: reader) { recipes.append("complex") }
    }
    let encoder = configuration.encoder
    let views = try ViewBatches(reader, recipes: recipes, side: encoder.image, channels: encoder.channels)
    _ = try stepsPerEpoch(rows: views.rowsPerEpoch, batch: configuration.batch, source: reader.name)
    return views
  }

  /// Trains until the last epoch, `limit` steps, or a stop that is asked for, and writes checkpoints: at the end of each
  /// epoch and at the end.
  /// - Parameters:
  ///   - limit: stop after that many steps of the whole run.
  ///   - metadata: provenance for the checkpoint.
  ///   - onStep: called after each step; returning true stops after it.
  public func train(
    on views: ViewBatches, folder: RunFolder, limit: Int?, metadata: [String: String],
    onStep: (StepReport) throws -> Bool
  ) throws {
    let c = configuration
    let stepsPerEpoch = try Networks.stepsPerEpoch(
      rows: views.rowsPerEpoch, batch: c.batch, source: views.reader.name)
    let total = c.epochs * stepsPerEpoch
    let end = min(limit ?? total, total)
    try checkCoverage(of: views, stepsPerEpoch: stepsPerEpoch, end: end)
    var metadata = metadata
    for key in ["mean", "std", "classes"] { metadata[key] = views.reader.header.metadata[key] }
    try folder.write(try c.json(pretty: true) + "\n", to: folder.configuration)
    let log = try folder.metricsLog(keepingSteps: steps)
    if steps < end {
      let start = (steps / stepsPerEpoch - views.firstEpoch) * views.rowsPerEpoch + steps % stepsPerEpoch * c.batch
      guard start >= views.position else {
        throw Failure(
          .data,
          "\(views.reader.name): begins at row \(views.firstRow) of epoch \(views.firstEpoch), but the run goes on at row \(start)"
        )
      }
      try views.skip(start - views.position)
    } else {
      try Checkpoint.write(model, optimizer, to: folder.checkpoint, metadata: metadata)
    }
    var stopped = false
    while steps < end && !stopped {
      let report = try step(views, stepsPerEpoch: stepsPerEpoch)
      try log.write(report.json)
      stopped = try onStep(report)
      let isEpochEnd = steps % stepsPerEpoch == 0
      if isEpochEnd || stopped || steps == end {
        try Checkpoint.write(model, optimizer, to: folder.checkpoint, metadata: metadata)
      }
      // What is left of the epoch is less than a batch.
      if isEpochEnd { try views.skip(views.rowsPerEpoch - stepsPerEpoch * c.batch) }
    }
    if !stopped && steps == total && views.position == views.epochs * views.rowsPerEpoch { try views.finish() }
  }

  private func checkCoverage(of views: ViewBatches, stepsPerEpoch: Int, end: Int) throws {
    if steps >= end { return }
    let first = steps / stepsPerEpoch
    let last = (end - 1) / stepsPerEpoch
    if views.firstEpoch > first || views.firstEpoch + views.epochs <= last {
      throw Failure(
        .data,
        "\(views.reader.name): holds epochs \(views.firstEpoch) to \(views.firstEpoch + views.epochs - 1), but the run needs \(first) to \(last) (counted from 0)"
      )
    }
  }

  /// One step of training: forward, backward, optimiser, teachers.
  func step(_ views: ViewBatches, stepsPerEpoch: Int) throws -> StepReport {
    let c = configuration
    let start = DispatchTime.now().uptimeNanoseconds
    let step = steps
    let epoch = step / stepsPerEpoch
    let batch = try engine.measure(.input) { try take(views, epoch: epoch) }
    let rate = learningRate(
      peak: c.learningRate, epoch: Double(step) / Double(stepsPerEpoch), warmup: c.warmupEpochs,
      epochs: Double(c.epochs))

    let schedule = c.labelSchedule(epoch: Double(step) / Double(stepsPerEpoch))
    let losses = model.gradients(of: batch, schedule: schedule)
    try check(losses, step: step + 1)
    optimizer.step(rate: rate)

    // The two teachers' clocks (§3.2): the labelling teacher's ticks with steps, the reconstruction teacher's with epochs.
    var labelMomentum: Double?
    var reconstructionMomentum: Double?
    if c.objective == .pseudoMAE {
      let isEpochEnd = steps % stepsPerEpoch == 0
      let progress = c.labelUpdate == .iteration ? (step, c.epochs * stepsPerEpoch) : (epoch, c.epochs)
      if c.labelUpdate == .iteration || isEpochEnd {
        let momentum = cosine(c.labelMomentum, c.labelMomentumEnd, Double(progress.0), Double(progress.1))
        model.updateLabellingTeacher(momentum: momentum)
        labelMomentum = momentum
      }
      if c.teachers == .disentangled && isEpochEnd {
        let momentum = cosine(
          c.reconstructionMomentum, c.reconstructionMomentumEnd, Double(epoch), Double(c.epochs))
        model.updateReconstructionTeacher(momentum: momentum)
        reconstructionMomentum = momentum
      }
    }
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
    return StepReport(
      step: steps, epoch: epoch, loss: losses.total, m: losses.m, c: losses.c, p: losses.p, learningRate: rate,
      labelMomentum: labelMomentum, reconstructionMomentum: reconstructionMomentum, health: losses.health,
      cosine: losses.cosine, labelWeight: c.lambdaWarmupEpochs > 0 ? schedule.weight : nil,
      teacherTemperature: c.teacherTemperatureEpochs > 0 ? schedule.teacherTemperature : nil, seconds: seconds,
      imagesPerSecond: Double(c.batch) / seconds)
  }

  /// The next batch in the parts that it is computed in, and what is drawn for each image.
  public func take(_ views: ViewBatches, epoch: Int) throws -> [MicroBatch] {
    let c = configuration
    return try (0..<c.accumulate).map { _ in
      let rows = try views.take(c.batch / c.accumulate)
      let simple = rows.images("simple", of: views)
      let complex =
        c.labelView == .simple ? simple : views.recipes.contains("complex") ? rows.images("complex", of: views) : nil
      return MicroBatch(
        simple: simple, complex: complex, masks: try Masks(of: rows, in: views, epoch: epoch, configuration: c),
        keeps: model.student.drawKeeps(rows.random(seed: c.seed, epoch: epoch, .dropPath)))
    }
  }

  /// A NaN or an infinity ends the run before it reaches a weight.
  private func check(_ losses: LossValues, step: Int) throws {
    let terms: [(String, Double?)] = [("loss_m", losses.m), ("loss_c", losses.c), ("loss_p", losses.p)]
    for (name, value) in terms {
      if let value, !value.isFinite {
        throw Failure(
          .data, "step \(step): \(name) is \(value): the run stops with the last checkpoint as it was")
      }
    }
    if let place = optimizer.firstNonFiniteGradient() {
      throw Failure(
        .data,
        "step \(step): the gradient of \(model.trained[place].name) is not finite: the run stops with the last checkpoint as it was"
      )
    }
  }
}
