import Compute
import Ranks
import Runs
import TensorStream

/// The loop that every trainer runs: a batch in, a step, a report out, checkpoints between. Every number depends on the
/// trainee and the batches alone. So a run that was stopped and resumed ends in the bits of a run that was not.
///
/// Where several ranks train, each runs the loop on its own part of every batch, and all do the same at the same step.
/// What fails on one fails on all. The first alone keeps a record.
///
///     func train<T: Trainee, S: BatchSource>(_ trainee: T, on source: S, engine: Engine) throws where S.Batch == T.Batch {
///       let schedule = RateSchedule(peak: 1e-3, warmupEpochs: 2)
///       let loop = TrainingLoop(batch: 64, epochs: 20, schedule: schedule, engine: engine)
///       let outcome = try loop.run(trainee, on: source) { report in
///         print(report.summary)
///         return false
///       }
///       print(outcome.isComplete)
///     }
public struct TrainingLoop {
  /// Images a step.
  public var batch: Int
  /// Of the whole run.
  public var epochs: Int
  public var schedule: RateSchedule
  /// Stop after that many steps of the whole run.
  public var limit: Int?
  private let engine: Engine

  public init(batch: Int, epochs: Int, schedule: RateSchedule, limit: Int? = nil, engine: Engine) {
    (self.batch, self.epochs, self.schedule) = (batch, epochs, schedule)
    self.limit = limit
    self.engine = engine
  }

  /// What a call of `run` did.
  public struct Outcome: Sendable {
    /// Whether it came to its end, rather than being stopped.
    public let isComplete: Bool
    /// Checkpoints written, and the seconds that the run stood still for them.
    public let checkpoints: Int
    public let seconds: Double
  }

  /// Trains until the last epoch, the limit, or a request to stop. It writes checkpoints at the end of each epoch, as
  /// often as the run's policy says, on request, at the end, and where the source fails, so that no step is lost.
  /// - Parameters:
  ///   - record: where the run is kept; nil where it is not.
  ///   - onStep: called after each step; returning true stops after it.
  /// - Throws: `Failure(.data)` where the source lacks steps or fails, or a number is not finite: the last checkpoint stays as it was.
  public func run<T: Trainee, S: BatchSource>(
    _ trainee: T, on source: S, keeping record: RunRecord? = nil, signals: TrainingSignals = TrainingSignals(),
    onStep: (StepReport) throws -> Bool
  ) throws -> Outcome where S.Batch == T.Batch {
    let optimizer = trainee.optimizer
    let steps = try EpochSteps(rows: source.rowsPerEpoch, batch: batch, source: source.name)
    let stepsPerEpoch = steps.stepsPerEpoch
    let end = min(limit ?? .max, epochs * stepsPerEpoch)
    var place: StepPlace { StepPlace(step: optimizer.steps, stepsPerEpoch: stepsPerEpoch, epochs: epochs) }
    let first = place
    let ranks = engine.ranks
    if first.step < end { try ranks.agree { try source.seek(to: first, end: end) } }
    let keeper = try ranks.agree { try ranks.isFirst ? record?.begin(at: first) : nil }
    func save() throws {
      if record == nil { return }
      // Every rank has a part of the moments.
      let tensors = trainee.state.tensors
      try ranks.agree { try keeper?.save(tensors, after: optimizer.steps) }
    }
    /// Does something with the source, or with what a step left; where that fails, the steps that were taken are saved first.
    func reading<R>(_ body: () throws -> R) throws -> R {
      do {
        return try ranks.agree(body)
      } catch {
        if optimizer.steps > first.step { try save() }
        try keeper?.wait()
        throw error
      }
    }
    var stopped = false
    while optimizer.steps < end && !stopped {
      let start = ContinuousClock.now
      let at = place
      let batch = try reading { try engine.measure(.input) { try source.take(at) } }
      let (losses, rate) = try step(trainee, batch, at: at)
      let moved = try reading { try trainee.follow(at: at) }
      // Never zero, and by a clock that nobody can set.
      let seconds = max((ContinuousClock.now - start) / .seconds(1), 1e-9)
      let report = StepReport(
        step: optimizer.steps, epoch: at.epoch, losses: losses, learningRate: rate, moved: moved, seconds: seconds,
        imagesPerSecond: Double(self.batch) / seconds)
      let wishes = try ranks.agree {
        try keeper?.log(report)
        let stops = try onStep(report) || signals.stopRequested()
        return [stops, signals.checkpointRequested(), keeper?.isDue(after: report.step) ?? false]
      }
      // A signal that reached one rank is for all.
      let agreed = ranks.any(wishes)
      stopped = agreed[0]
      if at.endsEpoch || agreed.contains(true) || report.step == end { try save() }
      try ranks.agree { try keeper?.check() }
      if at.endsEpoch { try reading { try source.finishEpoch(at) } }
    }
    try save()
    try ranks.agree {
      try keeper?.wait()
      if !stopped { try source.finish() }
    }
    return Outcome(isComplete: !stopped, checkpoints: keeper?.count ?? 0, seconds: keeper?.seconds ?? 0)
  }

  /// Forward, backward and optimiser. A NaN or an infinity ends the run before it reaches a weight.
  private func step<T: Trainee>(
    _ trainee: T, _ batch: T.Batch, at place: StepPlace
  ) throws -> (losses: StepLosses, rate: Double) {
    let optimizer = trainee.optimizer
    let rate = schedule.rate(at: place)
    func broken(_ what: String) -> Failure {
      Failure(.data, "step \(place.step + 1): \(what): training stops, and the last checkpoint stays as it was")
    }
    let losses = try trainee.gradients(of: batch, at: place)
    optimizer.joinGradients()
    for figure in losses.terms + [Figure("the loss", losses.loss)] where !figure.value.isFinite {
      throw broken("\(figure.name) is \(figure.value)")
    }
    if let name = optimizer.firstNonFiniteGradient() { throw broken("the gradient of \(name) is not finite") }
    optimizer.step(rate: rate, trainee.update(at: place))
    if let name = optimizer.firstNonFiniteParameter {
      throw broken("\(name), or a moment of it, is not finite")
    }
    return (losses, rate)
  }
}
