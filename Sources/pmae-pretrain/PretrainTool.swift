import ArgumentParser
import CommandLineKit
import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import Settings
import TensorStream
import Training

struct PretrainTool: Tool {
  static let ranks = RankUse.together

  static let configuration = CommandConfiguration(
    commandName: "pmae-pretrain",
    abstract: "Pretrain a vision transformer on views of unlabelled images, with Pseudo MAE or another objective.",
    version: pmaeVersion)

  @Argument(help: "The views; - is standard input, as is none.")
  var views: String?

  @Option(help: "The run folder: checkpoint.stz, metrics.jsonl, config.json.")
  var output: String?

  @Option(name: .customLong("init"), help: "Start weights of all parts, or of an encoder alone, .stz or .safetensors.")
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

  @Option(
    help: ArgumentHelp(
      "What is predicted; each has options of its own, below: \(objectives.map { $0.name }.joined(separator: ", ")).",
      valueName: "name"))
  var objective = PseudoMAE.name

  @Option(name: .customLong("set"), help: .hidden)
  var settings: [String] = []

  @Option(help: "Drop-path rate of the encoder's last block.")
  var dropPath = 0.25

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

  @Option(help: "Peak learning rate for a batch of 256; scaled by the batch (default: 0.0002666).")
  var baseLr: Double?

  @Option(help: "Learning rate at the start of the warm-up.")
  var warmupLr = 0.0

  @Option(help: "Learning rate at the end.")
  var minLr = 0.0

  @Option(help: "AdamW's decay of matrices.")
  var weightDecay = 0.05

  @Option(help: "The decay at the end, where it moves (default: --weight-decay).")
  var weightDecayEnd: Double?

  @Option(help: "Limit of the gradients' length; 0 for none.")
  var clip = 0.0

  @Option(help: "Stop after this many steps of the whole run.")
  var steps: Int?

  @OptionGroup var checkpoints: CheckpointOptions

  @Option(help: "What matrices are multiplied in.")
  var precision = PrecisionChoice.float32

  @Option(help: "Seed of start weights, masks and drop path.")
  var seed: UInt64 = 0

  @OptionGroup var threads: ThreadOptions

  @OptionGroup var ranks: RankOptions

  @OptionGroup(title: "Options of --plan") var planOptions: PlanOptions

  @Option(
    help: ArgumentHelp(
      "Print settings for the pictures of this file of pmae-pack, and how long they take here; several are one set.",
      valueName: "images"))
  var suggest: [String] = []

  @OptionGroup var profile: ProfileOptions

  @Option(help: ArgumentHelp("Write event files for TensorBoard into this folder too.", valueName: "folder"))
  var tensorboard: String?

  @Option(help: "Warn of a collapse where a share that shows it is below this; 0 never does.")
  var collapseFloor = 0.02

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  private static var declared: DeclaredArguments {
    DeclaredArguments("--objective", usual: PseudoMAE.name, among: objectives, presets: Preset.all)
  }

  static func expand(_ arguments: [String]) throws -> [String] {
    try checkSuggest(arguments)
    return try declared.expand(arguments)
  }

  static var moreHelp: String { declared.help }

  mutating func validate() throws {
    if start == "-" && (views ?? "-") == "-" {
      throw ValidationError("only one of --init and the views can be standard input")
    }
    if !suggest.isEmpty {
      if views != nil { throw ValidationError("--suggest is of pictures, before there are views") }
      return
    }
    if output == nil && !planOptions.isWanted { throw ValidationError("Missing expected argument '--output <output>'") }
    if planOptions.isWanted {
      if resume || start != nil { throw ValidationError("--plan is of a fresh run: not with --resume or --init") }
      if ranks.deterministicRanks != nil {
        throw ValidationError("--plan is of one shard a rank: not with --deterministic-ranks")
      }
    }
    if let reason = precision.unavailable { throw ValidationError(reason) }
    if resume && overwrite { throw ValidationError("--resume and --overwrite exclude each other") }
    if resume && start != nil { throw ValidationError("--resume and --init exclude each other") }
    if lr != nil && baseLr != nil { throw ValidationError("--lr and --base-lr exclude each other") }
    if !(0...1).contains(collapseFloor) {
      throw ValidationError("--collapse-floor is \(collapseFloor): expected 0 to 1")
    }
    if let steps, steps < 0 { throw ValidationError("--steps is \(steps): expected 0 or more") }
  }

  mutating func execute() throws {
    if !suggest.isEmpty { return try printSuggestion() }
    try pretrain(try Pretraining.objective(named: objective))
  }

  private func pretrain<O: Objective>(_: O.Type) throws {
    let name = "pmae-pretrain"
    let ranks = try self.ranks.ranks()
    let quiet = self.quiet || !ranks.isFirst
    func say(_ text: String) { note(name, text, quiet: quiet) }
    if planOptions.isWanted {
      if ranks.count > 1 { throw Failure(.usage, "--plan is for one process, not for \(ranks.count) ranks") }
      return try printPlan(O.self, try configuration(O.self, try model.encoder()))
    }
    guard let output else { return }
    let session = try ranks.agree {
      try RunSession(output, resumes: resume, overwrites: overwrite, writes: ranks.isFirst, note: say)
    }
    let folder = session.folder
    // Everything that the options alone decide is checked before the input is waited for.
    try profile.checkEarly(overwrite: overwrite || resume)
    // Both are let go of when they are read: a checkpoint is as large as the run itself.
    var start = try ranks.agree { try session.checkpoint() }
    var given = try self.start.map { try StartWeights(path: $0, heads: model.heads, image: model.image) }
    let encoder: EncoderConfiguration
    if let start {
      encoder = try model.encoder(try Configuration<O.Options>.encoder(of: start))
    } else if case .encoder(let file)? = given {
      encoder = try model.encoder(of: file)
    } else {
      encoder = try model.encoder()
    }
    var configuration = try configuration(O.self, encoder)
    let reader = try StreamReader(path: views ?? "-", kinds: [StreamKind.views.rawValue])
    if let start {
      try configuration.keep(epochs: epochs == nil, warmup: warmupEpochs == nil, of: start)
    } else if epochs == nil {
      let header = try ViewsHeader(reader.header, source: reader.name)
      configuration.run(epochs: header.firstEpoch + header.epochs, warmupEpochs: warmupEpochs)
    }
    try configuration.validate()
    let engine = Engine(
      threads: threads.count, precision: precision.precision, profiling: profile.isWanted, ranks: ranks)
    for text in precision.notes + engine.notes { say(text) }
    let run = try PretrainingRun<O>(configuration, engine: engine)
    let views = try run.views(reader)
    try ranks.requireSame(
      run.facts(of: views).merging(
        [
          "version": pmaeVersion, "matrix kernels": engine.kernels, "last step": steps.map(String.init) ?? "none",
          "checkpoint": start.map { "\($0.digest) of step \($0.steps)" } ?? "none",
          "start weights": given?.input.digest ?? "none",
        ]) { $1 })
    var provenance = Provenance.metadata(
      tool: name,
      inputs: [(name: reader.name, header: reader.header, digest: reader.digest)] + (given.map { [$0.input] } ?? []))
    if let start {
      try run.resume(from: start, on: views)
      provenance = Provenance.continued(provenance, from: start.record.metadata)
      say("\(folder.path): continues after step \(grouped(run.steps))")
      if let text = start.shardsNote(ranks.shards, of: folder) { say(text) }
    } else if let given {
      try run.initialise(from: given)
      if case .encoder(let file) = given {
        say("\(file.source): an encoder alone: teachers are copies of it, and all else starts with fresh weights")
        for text in file.notes { say("\(file.source): \(text)") }
        if let theirs = file.normalisation, theirs != views.normalisation {
          say(
            "\(file.source): was trained on pixels of mean \(theirs.mean) and std \(theirs.std); those of the views are "
              + "\(views.normalisation.mean) and \(views.normalisation.std) (pmae-augment --mean and --std)")
        }
      }
    }
    if start == nil { try run.prepare() }
    (start, given) = (nil, nil)
    try ranks.agree { try session.begin() }

    Interruption.watch()
    let epoch = try EpochSteps(rows: views.rowsPerEpoch, batch: batch, source: reader.name)
    let total = min(steps ?? .max, configuration.epochs * epoch.stepsPerEpoch)
    let profiler = profile.isWanted && ranks.isFirst ? StepProfiler(engine) : nil
    let progress = Progress(tool: name, what: "steps", total: total, first: run.steps, quiet: quiet)
    let events = try ranks.agree {
      try ranks.isFirst ? tensorboard.map { try EventFile(folder: $0, after: run.steps) } : nil
    }
    var collapse = CollapseWatch(floor: collapseFloor, figures: O.figures)
    let outcome: TrainingLoop.Outcome
    do {
      outcome = try withExtendedLifetime(session) {
        try run.train(
          on: views, folder: folder, limit: steps, provenance: provenance, policy: checkpoints.policy,
          signals: TrainingSignals(
            stopRequested: { Interruption.requested }, checkpointRequested: Interruption.takeCheckpointRequest)
        ) { report in
          profiler?.note(report.seconds, images: batch)
          progress.update(report.step, report.summary)
          try events?.write(report.figures.map { ($0.name, $0.value) }, step: report.step)
          if let text = collapse.note(report.figures, epoch: report.epoch) { progress.say(text) }
          return false
        }
      }
    } catch {
      // The signal that came to this process has also ended the writer upstream; every step was saved before.
      if Interruption.requested, (error as? Failure)?.kind == .data { Interruption.exitAsSignal() }
      throw error
    }
    if ranks.any([Interruption.requested])[0] {
      say("stopped after step \(grouped(run.steps)); \(folder.checkpoint) continues with --resume")
      Interruption.exitAsSignal()
    }
    progress.finish()
    if outcome.checkpoints > 0 {
      say("the run waited \(duration(outcome.seconds)) for \(counted(outcome.checkpoints, "checkpoint"))")
    }
    if let report = profiler?.report() {
      try profile.report(name, messages: report.messages, json: report.json, overwrite: overwrite || resume)
    }
  }
}

extension PrecisionChoice: ExpressibleByArgument {}
