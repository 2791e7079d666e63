import CommandLineKit
import Compute
import Finetuning
import Networks
import Ranks
import Runs
import TensorStream
import Training

// What is seen of a run while it trains, and how a signal ends it.
extension FinetuneTool {
  /// Has a run look at held-out views now and then, where that was asked for.
  func watch<T: Task>(_ trainer: Trainer<T>, _ views: T.Views, engine: Engine) throws {
    guard let path = watching.heldOut, case .full(let run) = trainer else { return }
    // Before the first step: what is wrong with the file is known now.
    let figures = try run.task.heldOut(path, beside: views, engine: engine)
    let steps = try EpochSteps(
      rows: views.batches.rowsPerEpoch, batch: run.configuration.batch, source: views.batches.reader.name)
    run.measurement = .init(every: watching.validateEvery ?? steps.stepsPerEpoch, figures)
  }

  func train<T: Task>(
    _ trainer: Trainer<T>, on views: T.Views, _ configuration: FinetuningConfiguration<T>,
    keeping record: RunRecord?, profiler: StepProfiler?, log: LineFile?, _ ranks: Ranks
  ) throws {
    let rows = views.batches.rowsPerEpoch
    let epoch = try EpochSteps(rows: rows, batch: configuration.batch, source: views.batches.reader.name)
    let whole = configuration.epochs * epoch.stepsPerEpoch
    let progress = Progress(
      tool: Self.name, what: "steps", total: min(steps ?? whole, whole), first: trainer.trainee.optimizer.steps,
      quiet: output.quiet)
    let events = try ranks.agree {
      try ranks.isFirst ? tensorboard.map { try EventFile(folder: $0, after: trainer.trainee.optimizer.steps) } : nil
    }
    let signals = TrainingSignals(
      stopRequested: { Interruption.requested }, checkpointRequested: Interruption.takeCheckpointRequest)
    func onStep(_ report: StepReport) throws -> Bool {
      profiler?.note(report.seconds, images: configuration.batch)
      try log?.write(report.json)
      try events?.write(report.figures.map { ($0.name, $0.value) }, step: report.step)
      progress.update(report.step, report.summary)
      return false
    }
    let isComplete: Bool
    switch trainer {
    case .full(let run):
      isComplete = try run.train(on: views, limit: steps, keeping: record, signals: signals, onStep: onStep).isComplete
    case .probe(let probe):
      guard let views = views as? LabelledViews else { preconditionFailure("a probe of pixels") }
      isComplete = try probe.train(
        on: views, limit: steps, keeping: record, signals: signals,
        onImages: { done in
          progress.update(probe.optimizer.steps, "features of \(grouped(done)) of \(grouped(rows)) images")
          return Interruption.requested
        }, onStep: onStep)
    }
    if !isComplete { stop() }
    progress.finish()
  }

  /// The end after a signal: nobody wants a model that is half trained.
  func stop() -> Never {
    let outcome = run.map { "no model is written; \($0) continues with --resume" } ?? "nothing is written"
    say("stopped by a signal; \(outcome)")
    Interruption.exitAsSignal()
  }
}
