import ArgumentParser
import CommandLineKit
import Compute
import Finetuning
import Foundation
import Networks
import Runs
import Schemas
import TensorStream
import Training

struct FinetuneTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-finetune",
    abstract: "Train a classifier of pictures or pixels on labelled views, from a pretrained encoder or from scratch.",
    version: pmaeVersion)

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @Option(help: ArgumentHelp("What is learnt: \(tasks.map { $0.name }.joined(separator: ", ")).", valueName: "name"))
  var task = Classification.name

  @OptionGroup var presets: PresetOptions
  @OptionGroup var encoder: EncoderOptions
  @OptionGroup var training: TrainingOptions
  @OptionGroup var segmentation: SegmentationOptions

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
  @OptionGroup var output: OutputOptions

  private static var name: String { "pmae-finetune" }

  mutating func validate() throws {
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

  static func expand(_ arguments: [String]) throws -> [String] { try PresetOptions.expand(arguments) }

  mutating func execute() throws {
    guard let chosen = tasks.first(where: { $0.name == task }) else {
      throw ValidationError("--task is \(task): expected one of \(tasks.map { $0.name }.joined(separator: ", "))")
    }
    if chosen == Segmentation.self {
      try training.requireNoImageClasses(task: task)
    } else if let option = segmentation.given {
      throw ValidationError("--\(option) has no meaning with --task \(task): it is of --task \(Segmentation.name)")
    }
    try finetune(chosen)
  }

  private func say(_ text: String) { note(Self.name, text, quiet: output.quiet) }

  private func finetune<T: Task>(_: T.Type) throws {
    // Everything that the options alone decide is checked before the input is waited for.
    let isFresh = encoder.start == nil || encoder.fresh
    let isSegmentation = T.self == Segmentation.self
    func segmented(
      _ classes: Int, _ encoder: EncoderConfiguration, _ start: SegmentationConfiguration? = nil
    ) -> SegmentationOptions.Asked? {
      isSegmentation
        ? SegmentationOptions.Asked(options: segmentation, classes: classes, encoder: encoder, start: start) : nil
    }
    _ = try training.configuration(
      of: nil, isFresh: isFresh,
      segmentation: encoder.start == nil ? segmented(classes ?? 1, try encoder.freshSizes()) : nil)
    try output.checkEarly()
    if let path = training.recipe.unaveraged { try checkEarly(unaveraged: path) }
    try training.profile.checkEarly(overwrite: output.overwrite || resume)
    if let preset = presets.chosen {
      say("preset \(preset.name): \(preset.summary); --print-preset shows its settings")
    }
    let session = try run.map {
      try RunSession($0, resumes: resume, overwrites: output.overwrite) { [self] in say($0) }
    }
    let file = try encoder.start.map { try StartFile(path: $0, heads: encoder.heads, image: encoder.image) }
    var whole: SegmenterFile?
    if case .segmenter(let model)? = file {
      guard isSegmentation else {
        throw Failure(
          .data, "\(model.source): a segmentation model, expected an encoder: --task segment starts from it")
      }
      if !isFresh { whole = model }
    }
    let sizes = try file?.encoder ?? encoder.freshSizes()

    let engine = Engine(
      threads: threads.count, precision: training.precision.precision, profiling: training.profile.isWanted)
    for text in training.precision.notes + engine.notes { say(text) }
    let isLinear = training.mode == .linear
    let network = Encoder(sizes, engine: engine, trained: !isLinear)
    if case .encoder(let file)? = file, !isFresh {
      try file.load(into: network)
      for text in file.notes { say("\(file.source): \(text)") }
      if file.head != nil { say("\(file.source): its head is left out; the new head starts with fresh weights") }
    } else if whole == nil {
      initialise(network, seed: training.seed, part: 0)
    }

    let reader = try StreamReader(path: views, kinds: [StreamKind.views.rawValue])
    let names = try T.classNames(reader.header, source: reader.name)
    let sets = try ViewsHeader(reader.header, source: reader.name).labelSets
    if let sets, let classes, classes < sets.names.count {
      throw Failure(.usage, "--classes is \(classes), but \(reader.name) has \(sets.names.count)")
    }
    guard let count = classes ?? names?.count, count > 0 else {
      throw Failure(.data, "\(reader.name): names no classes: say with --classes how many there are")
    }
    // Let go of when it is read: it is as large as the run itself.
    var start = try session?.checkpoint()
    let labelled = try T.views(
      reader,
      AskedViews(
        view: view, encoder: sizes, normalisation: file?.normalisation, classes: count,
        mayBeginWithin: session != nil && !isLinear))
    let kept = try start.map { try FinetuningRecord($0).training }
    var configuration = try training.configuration(
      of: labelled.batches, keepsEpochs: session != nil, kept: kept, isFresh: isFresh,
      segmentation: segmented(count, sizes, whole?.network))
    if sets != nil { configuration.loss = try training.recipe.lossOfSets(source: reader.name) }
    let settings = FinetuningRecord(
      configuration, encoder: sizes, classes: count, view: labelled.view, precision: engine.precision,
      startWeights: isFresh ? "" : file?.input.digest ?? "")
    var provenance = provenance(file, reader)

    let trainer: Trainer<T> =
      isLinear
      ? .probe(try LinearProbe(network, classes: count, configuration: configuration, engine: engine))
      : .full(try FinetuningRun<T>(network, classes: count, configuration: configuration, engine: engine))
    if let whole, case .full(let run) = trainer, let run = run as? FinetuningRun<Segmentation> {
      try whole.load(into: run.task.segmenter)
    }
    try watch(trainer, labelled, engine: engine)
    var record: RunRecord?
    if let session {
      if let start {
        provenance = Provenance.continued(provenance, from: start.record.metadata)
        say("\(session.folder.path): continues after step \(grouped(start.steps))")
      }
      record = try settings.record(
        session.folder, of: trainer.trainee, on: labelled, policy: checkpoints.policy, provenance: provenance,
        from: start)
      start = nil
      try session.begin()
    }
    let log = try metrics.map { try LineFile(path: $0, overwrite: output.overwrite) }

    Interruption.watch()
    let profiler = training.profile.isWanted ? StepProfiler(engine) : nil
    do {
      try withExtendedLifetime(session) {
        try train(trainer, on: labelled, configuration, keeping: record, profiler: profiler, log: log)
      }
      try log?.close()
    } catch {
      // The signal that came to this process has also ended the writer upstream; what is kept was saved before.
      if Interruption.requested, (error as? Failure)?.kind == .data { stop() }
      throw error
    }
    var metadata = try T.metadata(
      sizes, configuration, classes: count, classNames: names?.count == count ? names : nil, views: labelled)
    metadata.merge(provenance) { $1 }
    func write(_ model: [Part], to path: String) throws {
      try WeightsFormat(path: path).write(
        storedTensors(model), metadata: metadata, to: path, overwrite: output.overwrite)
    }
    if let path = training.recipe.unaveraged { try write(trainer.model, to: path) }
    try write(trainer.average ?? trainer.model, to: output.output)
    // Last: the model is safe, whatever becomes of the profile.
    if let report = profiler?.report() {
      try training.profile.report(
        Self.name, messages: report.messages, json: report.json, overwrite: output.overwrite || resume)
    }
  }

  /// Has a run look at held-out views now and then, where that was asked for.
  private func watch<T: Task>(_ trainer: Trainer<T>, _ views: T.Views, engine: Engine) throws {
    guard let path = segmentation.heldOut, case .full(let run) = trainer,
      let run = run as? FinetuningRun<Segmentation>, let views = views as? MaskedViews
    else { return }
    let (classes, normalisation) = (views.classes, views.normalisation)
    // Before the first step: what is wrong with the file is known now.
    _ = try Segmentation.heldOut(
      path, classes: classes, encoder: run.task.encoder.configuration, normalisation: normalisation)
    let steps = try EpochSteps(
      rows: views.batches.rowsPerEpoch, batch: run.configuration.batch, source: views.batches.reader.name)
    run.measurement = .init(every: segmentation.validateEvery ?? steps.stepsPerEpoch) { task in
      try task.measure(path, classes: classes, normalisation: normalisation, engine: engine)
    }
  }

  private func train<T: Task>(
    _ trainer: Trainer<T>, on views: T.Views, _ configuration: FinetuningConfiguration,
    keeping record: RunRecord?, profiler: StepProfiler?, log: LineFile?
  ) throws {
    let rows = views.batches.rowsPerEpoch
    let epoch = try EpochSteps(rows: rows, batch: configuration.batch, source: views.batches.reader.name)
    let whole = configuration.epochs * epoch.stepsPerEpoch
    let progress = Progress(
      tool: Self.name, what: "steps", total: min(steps ?? whole, whole), first: trainer.trainee.optimizer.steps,
      quiet: output.quiet)
    let events = try tensorboard.map { try EventFile(folder: $0, after: trainer.trainee.optimizer.steps) }
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
  private func stop() -> Never {
    let outcome = run.map { "no model is written; \($0) continues with --resume" } ?? "nothing is written"
    say("stopped by a signal; \(outcome)")
    Interruption.exitAsSignal()
  }

  private func checkEarly(unaveraged path: String) throws {
    if path == output.output { throw ValidationError("--unaveraged and --output name one file: \(path)") }
    try checkEarlyOutput(path, overwrite: output.overwrite)
  }

  private func provenance(_ file: StartFile?, _ reader: StreamReader) -> [String: String] {
    var inputs = [(name: reader.name, header: reader.header, digest: reader.digest)]
    if let file { inputs.append(file.input) }
    return Provenance.metadata(tool: Self.name, inputs: inputs)
  }
}
