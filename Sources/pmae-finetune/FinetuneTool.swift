import ArgumentParser
import CommandLineKit
import Compute
import Finetuning
import Foundation
import Networks
import Ranks
import Runs
import Schemas
import Settings
import TensorStream
import Training

struct FinetuneTool: Tool {
  static let ranks = RankUse.together

  static let configuration = CommandConfiguration(
    commandName: "pmae-finetune",
    abstract: "Train a model on labelled views for a task, from a pretrained encoder or from scratch.",
    version: pmaeVersion)

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @Option(
    help: ArgumentHelp(
      "What is learnt; each has options of its own, below: \(tasks.map { $0.name }.joined(separator: ", ")).",
      valueName: "name"))
  var task = Classification.name

  @OptionGroup var presets: PresetOptions
  @OptionGroup var encoder: EncoderOptions
  @OptionGroup var training: TrainingOptions
  @OptionGroup var watching: WatchOptions

  @Option(name: .customLong("set"), help: .hidden)
  var settings: [String] = []

  @Option(help: "The recipe among the views (default: their only one, or simple).")
  var view: String?

  @Option(help: "Number of classes (default: as many as the views name).")
  var classes: Int?

  @Option(help: "Stop after this many steps.")
  var steps: Int?

  @Option(help: ArgumentHelp("Where to write a JSON line for each step.", valueName: "file"))
  var metrics: String?

  @Option(help: ArgumentHelp("Write event files for TensorBoard into this folder too.", valueName: "folder"))
  var tensorboard: String?

  @Option(help: ArgumentHelp("Keep the run in this folder, with checkpoints.", valueName: "folder"))
  var run: String?

  @Flag(help: "Continue the run in the folder, if it has a checkpoint.")
  var resume = false

  @OptionGroup var checkpoints: CheckpointOptions

  @OptionGroup var threads: ThreadOptions
  @OptionGroup var ranks: RankOptions
  @OptionGroup var output: OutputOptions

  static var name: String { "pmae-finetune" }

  mutating func validate() throws {
    if encoder.start == "-" && views == "-" {
      throw ValidationError("only one of --init and the views can be standard input")
    }
    if let steps, steps < 0 { throw ValidationError("--steps is \(steps): expected 0 or more") }
    if let classes, !(1...1 << 20).contains(classes) {
      throw ValidationError("--classes is \(classes): expected 1 to 1048576")
    }
    if output.output == "-" && training.profile.path == "-" {
      throw ValidationError("--output and --profile-json both write to standard output: name a file for one of them")
    }
    if run != nil {
      if metrics != nil {
        throw ValidationError("--metrics and --run exclude each other: the folder has metrics.jsonl")
      }
    } else if resume || checkpoints.isGiven {
      throw ValidationError("--resume, --checkpoint-every, --keep and --keep-every need --run")
    }
  }

  static func expand(_ arguments: [String]) throws -> [String] { try PresetOptions.declared.expand(arguments) }

  static var moreHelp: String { PresetOptions.declared.help }

  mutating func execute() throws {
    guard let chosen = tasks.first(where: { $0.name == task }) else {
      throw ValidationError("--task is \(task): expected one of \(tasks.map { $0.name }.joined(separator: ", "))")
    }
    let ranks = try self.ranks.ranks()
    // The first one speaks and writes for all.
    if !ranks.isFirst { output.quiet = true }
    try finetune(chosen, ranks)
  }

  func say(_ text: String) { note(Self.name, text, quiet: output.quiet) }

  private func finetune<T: Task>(_: T.Type, _ ranks: Ranks) throws {
    // Everything that the options alone decide is checked before the input is waited for.
    let isFresh = encoder.start == nil || encoder.fresh
    let isLinear = training.mode == .linear
    if watching.heldOut != nil, isLinear {
      throw ValidationError("--validate has no meaning in linear mode: measure the model when it is done")
    }
    let options = try T.Options.parsed(settings)
    _ =
      try training.configuration(
        options, encoder: encoder.start == nil ? encoder.freshSizes() : nil, isFresh: isFresh, shards: ranks.shards)
      as FinetuningConfiguration<T>
    try requireDistinct([
      ("--output", output.output), ("--unaveraged", training.recipe.unaveraged), ("--metrics", metrics),
      ("--profile-json", training.profile.path),
    ])
    try ranks.agree {
      if !ranks.isFirst { return }
      try output.checkEarly()
      if let path = training.recipe.unaveraged { try checkEarlyOutput(path, overwrite: output.overwrite) }
      try training.profile.checkEarly(overwrite: output.overwrite || resume)
    }
    if let preset = presets.chosen {
      say("preset \(preset.name): \(preset.summary); --print-preset shows its settings")
    }
    let session = try ranks.agree {
      try run.map {
        try RunSession($0, resumes: resume, overwrites: output.overwrite, writes: ranks.isFirst) { [self] in say($0) }
      }
    }
    let stored = try encoder.start.map { try StoredWeights(path: $0) }
    // A whole model of the task, or else an encoder.
    let saved = try stored.flatMap { try T.saved($0) }
    if let stored, saved != nil, encoder.heads != nil || encoder.image != nil {
      throw Failure(.usage, "\(stored.source): a whole model has its own sizes: --heads and --image have no meaning")
    }
    let file = try saved == nil ? stored.map { try WeightsFile($0, heads: encoder.heads, image: encoder.image) } : nil
    let sizes = try saved?.encoder ?? file?.encoder ?? encoder.freshSizes()

    let engine = Engine(
      threads: threads.count, precision: training.precision.precision, profiling: training.profile.isWanted,
      ranks: ranks)
    for text in training.precision.notes + engine.notes { say(text) }
    let network = Encoder(sizes, engine: engine, trained: !isLinear)
    if let file, !isFresh {
      try file.load(into: network)
      for text in file.notes { say("\(file.source): \(text)") }
      if file.head != nil { say("\(file.source): its head is left out; the new head starts with fresh weights") }
    } else if saved == nil || isFresh {
      initialise(network, seed: training.seed, part: 0)
    }

    let reader = try StreamReader(path: views, kinds: [StreamKind.views.rawValue])
    let names = try T.classNames(reader.header, source: reader.name)
    guard let count = classes ?? names?.count, count > 0 else {
      throw Failure(.data, "\(reader.name): names no classes: say with --classes how many there are")
    }
    // Let go of when it is read: it is as large as the run itself.
    var start = try ranks.agree { try session?.checkpoint() }
    let labelled = try T.views(
      reader,
      AskedViews(
        view: view, encoder: sizes, normalisation: saved?.normalisation ?? file?.normalisation, classes: count,
        mayBeginWithin: session != nil && !isLinear))
    let kept: FinetuningConfiguration<T>? = try start.map { try FinetuningRecord($0).training }
    let configuration = try training.configuration(
      options, encoder: sizes, views: labelled, keepsEpochs: session != nil, kept: kept,
      start: isFresh ? nil : saved?.options, isFresh: isFresh, shards: ranks.shards)
    let recorded = FinetuningRecord(
      configuration, encoder: sizes, classes: count, view: labelled.view, precision: engine.precision,
      startWeights: isFresh ? "" : stored?.digest ?? "")
    var provenance = provenance(stored, file, reader)

    let trainer: Trainer<T>
    if isLinear, let probe = try T.probe(network, classes: count, configuration: configuration, engine: engine) {
      trainer = .probe(probe)
    } else {
      trainer = .full(try FinetuningRun<T>(network, classes: count, configuration: configuration, engine: engine))
    }
    if let stored, saved != nil, !isFresh { try load(trainer.model, from: stored.record, source: stored.source) }
    try ranks.requireSame(
      try recorded.facts(of: labelled).merging(
        [
          "version": pmaeVersion, "matrix kernels": engine.kernels, "last step": steps.map(String.init) ?? "none",
          "checkpoint": start.map { "\($0.digest) of step \($0.steps)" } ?? "none", "run": run == nil ? "none" : "kept",
          "validate": watching.heldOut ?? "none",
          "validate-every": watching.validateEvery.map(String.init) ?? "an epoch",
        ]) { $1 })
    try ranks.agree { try watch(trainer, labelled, engine: engine) }
    var record: RunRecord?
    if let session {
      if let start {
        provenance = Provenance.continued(provenance, from: start.record.metadata)
        say("\(session.folder.path): continues after step \(grouped(start.steps))")
        if let text = start.shardsNote(ranks.shards, of: session.folder) { say(text) }
      }
      record = try recorded.record(
        session.folder, of: trainer.trainee, on: labelled, policy: checkpoints.policy, provenance: provenance,
        shards: ranks.shards, from: start)
      start = nil
      try ranks.agree { try session.begin() }
    }
    let log = try ranks.agree {
      try ranks.isFirst ? metrics.map { try LineFile(path: $0, overwrite: output.overwrite) } : nil
    }

    Interruption.watch()
    let profiler = training.profile.isWanted && ranks.isFirst ? StepProfiler(engine) : nil
    do {
      try withExtendedLifetime(session) {
        try train(trainer, on: labelled, configuration, keeping: record, profiler: profiler, log: log, ranks)
      }
      try ranks.agree { try log?.close() }
    } catch {
      // The signal that came to this process has also ended the writer upstream; what is kept was saved before.
      if Interruption.requested, (error as? Failure)?.kind == .data { stop() }
      throw error
    }
    // Classes that no picture has are called by their numbers.
    let all = names.map { names in (0..<count).map { $0 < names.count ? names[$0] : String($0) } }
    var metadata = try T.metadata(sizes, configuration, classes: count, classNames: all, views: labelled)
    metadata.merge(provenance) { $1 }
    func write(_ model: [Part], to path: String) throws {
      try WeightsFormat(path: path).write(
        storedTensors(model), metadata: metadata, to: path, overwrite: output.overwrite)
    }
    try ranks.agree {
      if !ranks.isFirst { return }
      if let path = training.recipe.unaveraged { try write(trainer.model, to: path) }
      try write(trainer.average ?? trainer.model, to: output.output)
    }
    // Last: the model is safe, whatever becomes of the profile.
    if let report = profiler?.report() {
      try training.profile.report(
        Self.name, messages: report.messages, json: report.json, overwrite: output.overwrite || resume)
    }
  }

  private func provenance(_ stored: StoredWeights?, _ file: WeightsFile?, _ reader: StreamReader) -> [String: String] {
    var inputs = [(name: reader.name, header: reader.header, digest: reader.digest)]
    // Of an encoder the record says what was changed in it.
    if let stored { inputs.append((stored.source, file?.record ?? stored.record, stored.digest)) }
    return Provenance.metadata(tool: Self.name, inputs: inputs)
  }
}
