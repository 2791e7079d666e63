import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Networks
import Pretraining
import TensorStream

struct PretrainTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-pretrain",
    abstract: "Pretrain a vision transformer on views of unlabelled images with Pseudo MAE.",
    version: pmaeVersion)

  @Argument(help: "The views; - is standard input.")
  var views = "-"

  @Option(help: "The run folder: checkpoint.stz, metrics.jsonl, config.json.")
  var output: String

  @Option(name: .customLong("init"), help: "Start weights of all parts, .stz or .safetensors.")
  var start: String?

  @Flag(help: "Continue the run in the folder, if it has a checkpoint.")
  var resume = false

  @Flag(help: "Start again where the folder holds a run.")
  var overwrite = false

  @Option(
    help: ArgumentHelp("Settings of a paper: \(Preset.all.map(\.name).joined(separator: ", ")).", valueName: "name"))
  var preset: String?

  @Option(help: ArgumentHelp("Print a preset's options and where they come from.", valueName: "name"))
  var printPreset: String?

  @OptionGroup var model: ModelOptions
  @OptionGroup var method: MethodOptions

  @Option(help: "Images a step.")
  var batch = 256

  @Option(help: "Parts in which a batch is computed one after the other, to need less memory.")
  var accumulate = 1

  @Option(help: "Epochs of the whole run (default: up to the last that the views hold).")
  var epochs: Int?

  @Option(help: "Epochs over which the learning rate rises (default: a fifth of the epochs).")
  var warmupEpochs: Double?

  @Option(help: "Peak learning rate (default: from --base-lr).")
  var lr: Double?

  @Option(help: "Peak learning rate for a batch of 256; scaled by the batch.")
  var baseLr = 2.666e-4

  @Option(help: "AdamW's decay of matrices.")
  var weightDecay = 0.05

  @Option(help: "Stop after this many steps of the whole run.")
  var steps: Int?

  @OptionGroup var checkpoints: CheckpointOptions

  @Option(help: "What matrices are multiplied in.")
  var precision = Precision.float32

  @Option(help: "Seed of start weights, masks and drop path.")
  var seed: UInt64 = 0

  @OptionGroup var threads: ThreadOptions

  @OptionGroup var profile: ProfileOptions

  @Option(help: ArgumentHelp("Write event files for TensorBoard into this folder too.", valueName: "folder"))
  var tensorboard: String?

  @Option(help: "Warn where labels' entropy or the share of prototypes in use is below this; 0 never does.")
  var collapseFloor = 0.02

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  static func expand(_ arguments: [String]) throws -> [String] { try Preset.expand(arguments) }

  mutating func validate() throws {
    if let reason = precision.unavailable { throw ValidationError(reason) }
    if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
    if resume && start != nil { throw ValidationError("--resume and --init exclude each other") }
    if lr != nil && baseLr != 2.666e-4 { throw ValidationError("--lr and --base-lr exclude each other") }
    if !(0...1).contains(collapseFloor) {
      throw ValidationError("--collapse-floor is \(collapseFloor): expected 0 to 1")
    }
    if let steps, steps < 0 { throw ValidationError("--steps is \(steps): expected 0 or more") }
  }

  mutating func execute() throws {
    let name = "pmae-pretrain"
    let folder = RunFolder(output)
    var lock = try folder.exists ? locked(folder) : nil
    if folder.hasCheckpoint && !resume && !overwrite {
      throw Failure(
        .cannotCreate, "\(folder.path): holds a run: --resume continues it, --overwrite starts it again")
    }
    // Everything that the options alone decide is checked before the input is waited for.
    try profile.checkEarly(overwrite: overwrite || resume)
    var configuration = try model.configuration(objective: method.objective)
    method.apply(to: &configuration)
    configuration.batch = batch
    configuration.accumulate = accumulate
    configuration.seed = seed
    configuration.precision = precision
    configuration.weightDecay = weightDecay
    configuration.learningRate = lr ?? baseLr * Double(batch) / 256
    configuration.epochs = epochs ?? configuration.epochs
    configuration.warmupEpochs = warmupEpochs ?? Double(configuration.epochs) / 5
    try configuration.validate()

    let reader = try StreamReader(path: views, kinds: ["views"])
    // Let go of when it is read: it is as large as the run itself.
    var start = resume ? try folder.newestCheckpoint { note(name, $0, quiet: quiet) } : nil
    if let start {
      try configuration.keep(epochs: epochs == nil, warmup: warmupEpochs == nil, of: start)
    } else if epochs == nil {
      let probe = try ViewBatches(reader, recipes: [], side: model.image, channels: model.channels)
      configuration.epochs = probe.firstEpoch + probe.epochs
      configuration.warmupEpochs = warmupEpochs ?? Double(configuration.epochs) / 5
    }
    try configuration.validate()
    let engine = Engine(threads: threads.count, precision: precision, profiling: profile.isWanted)
    for text in engine.notes { note(name, text, quiet: quiet) }
    let run = try PretrainingRun(configuration, engine: engine)
    let views = try run.views(reader)
    var metadata = Provenance.metadata(
      tool: name, inputs: [(name: reader.name, header: reader.header, digest: reader.digest)])
    if let start {
      try run.resume(from: start, on: views)
      metadata = Provenance.continued(metadata, from: start.record.metadata)
      note(name, "\(folder.path): continues after step \(grouped(run.steps))", quiet: quiet)
    } else if let file = self.start {
      try run.initialise(from: file)
    }
    start = nil
    try folder.create()
    if lock == nil {
      lock = try locked(folder)
      if folder.hasCheckpoint && !overwrite {
        throw Failure(.cannotCreate, "\(folder.path): another process has begun a run there meanwhile")
      }
    }

    Interruption.watch()
    let total = min(steps ?? .max, configuration.epochs * (views.rowsPerEpoch / batch))
    let profiler = profile.isWanted ? StepProfiler(engine) : nil
    let progress = Progress(tool: name, what: "steps", total: total, first: run.steps, quiet: quiet)
    let events = try tensorboard.map { try EventFile(folder: $0, after: run.steps) }
    var collapse = CollapseWatch(floor: collapseFloor)
    let written: (checkpoints: Int, seconds: Double)
    do {
      written = try withExtendedLifetime(lock) {
        try run.train(
          on: views, folder: folder, limit: steps, metadata: metadata, policy: checkpoints.policy,
          signals: TrainingSignals(
            stopRequested: { Interruption.requested }, checkpointRequested: Interruption.takeCheckpointRequest)
        ) { report in
          profiler?.note(report.seconds, images: batch)
          progress.update(report.step, report.summary)
          try events?.write(report.figures, step: report.step)
          if let text = report.health.flatMap({ collapse.note($0, epoch: report.epoch) }) { progress.say(text) }
          return false
        }
      }
    } catch {
      // The signal that came to this process has also ended the writer upstream; every step was saved before.
      if Interruption.requested, (error as? Failure)?.kind == .data { Interruption.exitAsSignal() }
      throw error
    }
    if Interruption.requested {
      if !quiet { log(name, "stopped after step \(grouped(run.steps)); \(folder.checkpoint) continues with --resume") }
      Interruption.exitAsSignal()
    }
    progress.finish()
    if written.checkpoints > 0 {
      note(
        name, "the run waited \(duration(written.seconds)) for \(counted(written.checkpoints, "checkpoint"))",
        quiet: quiet)
    }
    if let report = profiler?.report() {
      try profile.report(name, messages: report.messages, json: report.json, overwrite: overwrite || resume)
    }
  }

  private func locked(_ folder: RunFolder) throws -> RunLock {
    let lock = try RunLock(folder)
    if let text = lock.unavailable { note("pmae-pretrain", text, quiet: quiet) }
    return lock
  }
}

extension Precision: ExpressibleByArgument {}

extension StepReport {
  /// What a progress line says beside the count.
  fileprivate var summary: String {
    let terms: [(String, Double?)] = [("loss", loss), ("m", m), ("c", c), ("p", p)]
    let shown = terms.compactMap { name, value in value.map { "\(name) " + String(format: "%.4f", $0) } }
    return "epoch \(epoch) " + shown.joined(separator: " ") + String(format: " %.0f images/s", imagesPerSecond)
  }
}
