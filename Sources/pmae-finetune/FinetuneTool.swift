import ArgumentParser
import CommandLineKit
import Compute
import Finetuning
import Foundation
import Networks
import TensorStream

struct FinetuneTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-finetune",
    abstract: "Train a classifier on labelled views, from a pretrained encoder or from scratch.",
    version: pmaeVersion)

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @OptionGroup var encoder: EncoderOptions
  @OptionGroup var training: TrainingOptions

  @Option(help: "The recipe among the views (default: their only one, or simple).")
  var view: String?

  @Option(help: "Number of classes (default: as many as the views name).")
  var classes: Int?

  @Option(help: "Stop after this many steps.")
  var steps: Int?

  @Option(help: ArgumentHelp("Where to write a JSON line for each step.", valueName: "file"))
  var metrics: String?

  @Option(help: ArgumentHelp("Keep the run in this folder, with checkpoints (full mode).", valueName: "folder"))
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
      if training.mode == .linear {
        throw ValidationError("--run has no meaning in linear mode: a probe starts again from its beginning")
      }
      if metrics != nil {
        throw ValidationError("--metrics and --run exclude each other: the folder has metrics.jsonl")
      }
    } else if resume || checkpoints.isGiven {
      throw ValidationError("--resume, --checkpoint-every, --keep and --keep-every need --run")
    }
  }

  mutating func execute() throws {
    // Everything that the options alone decide is checked before the input is waited for.
    let isFresh = encoder.start == nil
    _ = try training.configuration(of: nil, isFresh: isFresh)
    try output.checkEarly()
    try training.profile.checkEarly(overwrite: output.overwrite || resume)
    let folder = run.map(RunFolder.init)
    var lock = try folder.flatMap { try $0.exists ? locked($0) : nil }
    if let folder, folder.hasCheckpoint && !resume && !output.overwrite {
      throw Failure(
        .cannotCreate, "\(folder.path): holds a run: --resume continues it, --overwrite starts it again")
    }
    let file = try encoder.start.map { try WeightsFile(path: $0, heads: encoder.heads) }
    let sizes = try file?.encoder ?? encoder.fresh()

    let engine = Engine(threads: threads.count, precision: training.precision, profiling: training.profile.isWanted)
    for text in engine.notes { note(Self.name, text, quiet: output.quiet) }
    let isLinear = training.mode == .linear
    let network = Encoder(sizes, dropPath: isLinear ? 0 : training.dropPath ?? 0.1, engine: engine, trained: !isLinear)
    if let file {
      try file.load(into: network)
      if file.head != nil {
        note(Self.name, "\(file.source): its head is left out; the new one starts afresh", quiet: output.quiet)
      }
    } else {
      initialise(network, seed: training.seed, part: 0)
    }

    let reader = try StreamReader(path: views, kinds: ["views"])
    let names = try LabelledViews.classNames(of: reader)
    guard let count = classes ?? names?.count, count > 0 else {
      throw Failure(.data, "\(reader.name): names no classes: say with --classes how many there are")
    }
    // Let go of when it is read: it is as large as the run itself.
    var start = resume ? try folder?.newestCheckpoint { note(Self.name, $0, quiet: output.quiet) } : nil
    let labelled = try LabelledViews(
      reader, view: view, preferred: ["simple"], encoder: sizes, normalisation: file?.normalisation,
      labels: .below(count), mayBeginWithin: folder != nil)
    let firstEpoch = folder == nil ? 0 : labelled.batches.firstEpoch
    let configuration = try training.configuration(
      of: (firstEpoch + labelled.batches.epochs, labelled.batches.rowsPerEpoch), isFresh: isFresh,
      kept: start.map(FinetuningCheckpoints.schedule))
    var provenance = provenance(file, reader)
    let trainer: Trainer
    if isLinear {
      trainer = .probe(try LinearProbe(network, classes: count, configuration: configuration, engine: engine))
    } else {
      let full = try FullFinetuning(network, classes: count, configuration: configuration, engine: engine)
      var kept: FinetuningCheckpoints?
      if let folder {
        if let start {
          provenance = Provenance.continued(provenance, from: start.record.metadata)
          note(
            Self.name, "\(folder.path): continues after step \(grouped(start.steps))", quiet: output.quiet)
        }
        kept = try FinetuningCheckpoints(
          folder, of: full, on: labelled, policy: checkpoints.policy, startWeights: file?.digest ?? "",
          metadata: provenance, from: start)
        start = nil
        try folder.create()
        if lock == nil { lock = try locked(folder) }
      }
      trainer = .full(full, kept)
    }
    let log = try metrics.map { try LineFile(path: $0, overwrite: output.overwrite) }

    Interruption.watch()
    let profiler = training.profile.isWanted ? StepProfiler(engine) : nil
    let classifier: Classifier
    do {
      classifier = try withExtendedLifetime(lock) {
        try train(trainer, on: labelled, configuration, profiler: profiler, log: log)
      }
      try log?.close()
    } catch {
      // The signal that came to this process has also ended the writer upstream; what is kept was saved before.
      if Interruption.requested, (error as? Failure)?.kind == .data { stop() }
      throw error
    }
    var metadata = try WeightsFile.metadata(
      encoder: sizes, head: WeightsFile.Head(classes: count, pooling: classifier.pooling),
      normalisation: labelled.normalisation, classNames: names?.count == count ? names : nil)
    metadata.merge(provenance) { $1 }
    try WeightsFormat(path: output.output).write(
      storedTensors([Part("", classifier)]), metadata: metadata, to: output.output, overwrite: output.overwrite)
    // Last: the model is safe, whatever becomes of the profile.
    if let report = profiler?.report() {
      try training.profile.report(
        Self.name, messages: report.messages, json: report.json, overwrite: output.overwrite || resume)
    }
  }

  private enum Trainer {
    case full(FullFinetuning, FinetuningCheckpoints?)
    case probe(LinearProbe)
  }

  private func train(
    _ trainer: Trainer, on views: LabelledViews, _ configuration: FinetuningConfiguration,
    profiler: StepProfiler?, log: LineFile?
  ) throws -> Classifier {
    var failure: (any Error)?
    let whole = configuration.epochs * max(views.batches.rowsPerEpoch / configuration.batch, 1)
    let progress = Progress(tool: Self.name, what: "steps", total: min(steps ?? whole, whole), quiet: output.quiet)
    let onStep = { (report: StepReport) -> Bool in
      profiler?.note(report.seconds, images: configuration.batch)
      do { try log?.write(report.json) } catch { failure = error }
      progress.update(report.step, report.summary)
      return Interruption.requested || failure != nil
    }
    let classifier: Classifier
    let isComplete: Bool
    switch trainer {
    case .full(let run, let checkpoints):
      isComplete = try run.train(
        on: views, limit: steps, checkpoints: checkpoints,
        signals: TrainingSignals(checkpointRequested: Interruption.takeCheckpointRequest), onStep: onStep)
      classifier = run.classifier
    case .probe(let probe):
      isComplete = try probe.train(
        on: views, limit: steps,
        onImages: { done in
          progress.update(0, "features of \(grouped(done)) of \(grouped(views.batches.rowsPerEpoch)) images")
          return Interruption.requested
        }, onStep: onStep)
      classifier = probe.classifier
    }
    if let failure { throw failure }
    if !isComplete { stop() }
    progress.finish()
    return classifier
  }

  private func locked(_ folder: RunFolder) throws -> RunLock {
    let lock = try RunLock(folder)
    if let text = lock.unavailable { note(Self.name, text, quiet: output.quiet) }
    return lock
  }

  /// The end after a signal: a model that is half trained is not what was asked for.
  private func stop() -> Never {
    let outcome = run.map { "no model is written; \($0) continues with --resume" } ?? "nothing is written"
    note(Self.name, "stopped by a signal; \(outcome)", quiet: output.quiet)
    Interruption.exitAsSignal()
  }

  private func provenance(_ file: WeightsFile?, _ reader: StreamReader) -> [String: String] {
    var inputs = [(name: reader.name, header: reader.header, digest: reader.digest)]
    if let file { inputs.append((name: file.source, header: file.record, digest: file.digest)) }
    return Provenance.metadata(tool: Self.name, inputs: inputs)
  }
}

extension StepReport {
  /// What a progress line says beside the count.
  fileprivate var summary: String {
    String(format: "epoch %d loss %.4f accuracy %.3f %.0f images/s", epoch, loss, accuracy, imagesPerSecond)
  }
}
