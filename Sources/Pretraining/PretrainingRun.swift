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
  /// Where it goes on from; nil for a fresh run.
  var start: CheckpointFile.Place?

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

  /// Trains until the last epoch, `limit` steps, or a stop that is asked for. Checkpoints are written at the end of each
  /// epoch, as often as `policy` says, where one is asked for, at the end, and where the views fail, so that no step is lost.
  /// - Parameters:
  ///   - limit: stop after that many steps of the whole run.
  ///   - metadata: provenance for the checkpoint.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Returns: how many checkpoints were written, and the seconds that the run stood still for them.
  @discardableResult
  public func train(
    on views: ViewBatches, folder: RunFolder, limit: Int?, metadata: [String: String],
    policy: CheckpointPolicy = CheckpointPolicy(), signals: TrainingSignals = TrainingSignals(),
    onStep: (StepReport) throws -> Bool
  ) throws -> (checkpoints: Int, seconds: Double) {
    let c = configuration
    let stepsPerEpoch = try Networks.stepsPerEpoch(
      rows: views.rowsPerEpoch, batch: c.batch, source: views.reader.name)
    let total = c.epochs * stepsPerEpoch
    let end = min(limit ?? total, total)
    try checkCoverage(of: views, stepsPerEpoch: stepsPerEpoch, end: end)
    var metadata = metadata.merging(Self.properties(of: views)) { $1 }
    metadata["config"] = try c.json()
    try folder.write(try c.json(pretty: true) + "\n", to: folder.configuration)
    let log = try folder.metricsLog(keepingSteps: steps)
    let writer = CheckpointWriter(folder, policy: policy, stepsPerEpoch: stepsPerEpoch, from: start)
    func save() throws {
      if writer.lastStep == steps { return }
      metadata["step"] = String(steps)
      try writer.write(step: steps, metadata: metadata, tensors: state.tensors, log: log)
    }
    /// Does something with the views; where that fails, the steps that were taken are saved first.
    func reading<R>(_ body: () throws -> R) throws -> R {
      do {
        return try body()
      } catch {
        if steps > start?.steps ?? 0 { try save() }
        try writer.wait()
        throw error
      }
    }
    if steps < end {
      let start = (steps / stepsPerEpoch - views.firstEpoch) * views.rowsPerEpoch + steps % stepsPerEpoch * c.batch
      guard start >= views.position else {
        throw Failure(
          .data,
          "\(views.reader.name): begins at row \(views.firstRow) of epoch \(views.firstEpoch), but the run goes on at row \(start)"
        )
      }
      try views.skip(start - views.position)
    }
    var stopped = false
    while steps < end && !stopped {
      let startTime = DispatchTime.now().uptimeNanoseconds
      let epoch = steps / stepsPerEpoch
      let batch = try reading { try engine.measure(.input) { try take(views, epoch: epoch) } }
      let report = try step(batch, epoch: epoch, stepsPerEpoch: stepsPerEpoch, startTime: startTime)
      try log.write(report.json)
      stopped = try onStep(report) || signals.stopRequested()
      let isEpochEnd = steps % stepsPerEpoch == 0
      let isAsked = signals.checkpointRequested()
      if isEpochEnd || stopped || isAsked || steps == end || writer.isDue(after: steps) { try save() }
      try writer.check()
      // What is left of the epoch is less than a batch.
      if isEpochEnd { try reading { try views.skip(views.rowsPerEpoch - stepsPerEpoch * c.batch) } }
    }
    try save()
    try writer.wait()
    if !stopped && steps == total && views.position == views.epochs * views.rowsPerEpoch { try views.finish() }
    return (writer.count, writer.seconds)
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
  /// - Parameter startTime: when the wait for the batch began, in nanoseconds.
  func step(_ batch: [MicroBatch], epoch: Int, stepsPerEpoch: Int, startTime: UInt64) throws -> StepReport {
    let c = configuration
    let step = steps
    let rate = learningRate(
      peak: c.learningRate, epoch: Double(step) / Double(stepsPerEpoch), warmup: c.warmupEpochs,
      epochs: Double(c.epochs))

    let schedule = c.labelSchedule(epoch: Double(step) / Double(stepsPerEpoch))
    let losses = model.gradients(of: batch, schedule: schedule)
    try check(losses, step: step + 1)
    optimizer.step(rate: rate)
    if let place = optimizer.firstNonFiniteParameter {
      throw Failure(
        .data,
        "step \(step + 1): \(model.trained[place].name), or a moment of it, is not finite: the run stops with the last checkpoint as it was"
      )
    }

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
    let seconds = Double(DispatchTime.now().uptimeNanoseconds - startTime) * 1e-9
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
