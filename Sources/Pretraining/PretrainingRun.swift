import Compute
import Foundation
import Networks
import Ranks
import Runs
import Schemas
import Settings
import TensorStream
import Training

/// A pretraining run: views in, a run folder out. Every number depends on the configuration and the views alone. So a
/// run that was stopped and resumed ends in the bits of a run that was not.
///
///     let engine = Engine(threads: 2)
///     var configuration = Configuration<MAE.Options>(
///       encoder: EncoderConfiguration(image: 96, patch: 8, channels: 3, width: 192, depth: 6, heads: 6))
///     configuration.batch = 64
///     let run = try PretrainingRun<MAE>(configuration, engine: engine)
///     let views = try run.views(StreamReader(path: "views.stz"))
///     _ = try run.train(on: views, folder: RunFolder("run/mine"), provenance: [:]) { report in report.step == 100 }
public final class PretrainingRun<O: Objective>: Trainee {
  public let objective: O
  public let optimizer: any Optimizer
  public let configuration: Configuration<O.Options>
  private let engine: Engine
  private let share: BatchShare
  /// Where it goes on from; nil for a fresh run.
  private var start: CheckpointFile.Place?

  /// Fresh weights from the configuration's seed.
  /// - Parameter engine: of the configuration's precision.
  public init(_ configuration: Configuration<O.Options>, engine: Engine) throws {
    try configuration.validate()
    precondition(configuration.precision == engine.precision, "one precision for the run, another for its engine")
    share = try BatchShare(
      batch: configuration.batch, accumulate: configuration.accumulate, ranks: engine.ranks,
      whole: O.wholeBatch.map { "\(O.name) \($0)" })
    self.configuration = configuration
    self.engine = engine
    objective = O(configuration, engine: engine)
    let trained = objective.parts.trained.map { [objective] in
      TrainedParameter($0.name, $0.parameter, decays: objective.decays($0.name, $0.parameter))
    }
    optimizer = AdamW(trained, weightDecay: configuration.weightDecay, beta2: O.beta2, engine: engine)
  }

  /// Steps taken so far.
  public var steps: Int { optimizer.steps }
  public var parts: [Part] { objective.parts }

  /// Start weights from a file: of all parts, an optimiser's passed over, or of an encoder alone.
  public func initialise(from start: StartWeights) throws { try start.load(into: parts) }

  /// Reads what the objective's options name, for a fresh run. One that goes on has it in its checkpoint.
  public func prepare() throws { try objective.prepare() }

  /// The views that the objective reads, opened; a batch must fit into an epoch.
  public func views(_ reader: StreamReader) throws -> ViewBatches {
    let (needs, encoder) = (O.views(configuration), configuration.encoder)
    let views = try ViewBatches(reader, views: needs, draws: O.draws, channels: encoder.channels)
    if encoder.positions == .learned,
      let family = needs.lazy.compactMap(\.family).first(where: { !views.members(of: $0).isEmpty })
    {
      throw Failure(
        .usage,
        "--objective \(O.name) reads views \"\(family)\" of a size of their own, but the encoder's positions were learned for "
          + "\(encoder.image) pixels: start from an encoder with sine-cosine positions, or leave these views out")
    }
    try share.check(views)
    _ = try EpochSteps(rows: views.rowsPerEpoch, batch: configuration.batch, source: reader.name)
    return views
  }

  /// What all ranks of a run must have in common, by the names that a message uses.
  public func facts(of views: ViewBatches) throws -> [String: String] {
    try views.facts(options: configuration.json(objective: O.name), identity: views.identity())
  }

  /// Continues where a checkpoint was written.
  /// - Throws: `Failure(.data)` naming each difference where it is of another configuration, fewer epochs aside, or of other
  ///   views.
  public func resume(from checkpoint: CheckpointFile, on views: ViewBatches) throws {
    let name = try Pretraining.objective(ofConfiguration: checkpoint.header.config, source: checkpoint.path).name
    guard name == O.name else {
      throw Failure(
        .data, "\(checkpoint.path): is of another configuration: this command has objective \(O.name), not \(name)")
    }
    var theirs = try Configuration<O.Options>(json: checkpoint.header.config, source: checkpoint.path)
    // More epochs are fine.
    theirs.epochs = max(theirs.epochs, configuration.epochs)
    try checkpoint.require(
      configuration: configuration.json(objective: O.name), kept: theirs.json(objective: O.name),
      views: try views.identity())
    try state.load(from: checkpoint)
    start = checkpoint.place
  }

  /// Trains until the last epoch, `limit` steps, or a request to stop (`TrainingLoop.run`).
  /// - Parameters:
  ///   - limit: stop after that many steps of the whole run.
  ///   - provenance: for the checkpoints.
  ///   - onStep: called after each step; returning true stops after it.
  @discardableResult
  public func train(
    on views: ViewBatches, folder: RunFolder, limit: Int? = nil, provenance: [String: String],
    policy: CheckpointPolicy = CheckpointPolicy(), signals: TrainingSignals = TrainingSignals(),
    onStep: (StepReport) throws -> Bool
  ) throws -> TrainingLoop.Outcome {
    let c = configuration
    let loop = TrainingLoop(
      batch: c.batch, epochs: c.epochs, schedule: O.schedule(configuration), limit: limit, engine: engine)
    let record = RunRecord(
      folder, configuration: try c.json(objective: O.name), pretty: try c.json(objective: O.name, pretty: true),
      views: try views.identity(), classes: views.header.classes, provenance: provenance,
      shards: engine.ranks.shards, policy: policy, start: start)
    let source = ViewSource(views, batch: c.batch) { [self] in try take(views, epoch: $0.epoch) }
    return try loop.run(self, on: source, keeping: record, signals: signals, onStep: onStep)
  }

  /// Takes some steps that are kept nowhere.
  /// - Parameter views: nil for noise.
  /// - Throws: `Failure(.data)` where there are not as many steps.
  public func time(_ steps: Int, on views: StreamReader?, onStep: (StepReport) -> Void) throws {
    try prepare()
    guard let views else {
      let path = NSTemporaryDirectory() + "pmae-noise-\(UUID().uuidString).stz"
      defer { try? FileManager.default.removeItem(atPath: path) }
      try NoiseViews.write(
        path, for: O.views(configuration), of: configuration.encoder, rows: configuration.batch, steps: steps)
      return try time(steps, on: self.views(try StreamReader(path: path)), onStep)
    }
    try time(steps, on: self.views(views), onStep)
  }

  private func time(_ steps: Int, on views: ViewBatches, _ onStep: (StepReport) -> Void) throws {
    let c = configuration
    let loop = TrainingLoop(batch: c.batch, epochs: c.epochs, schedule: O.schedule(c), limit: steps, engine: engine)
    let source = ViewSource(views, batch: c.batch) { [self] in try take(views, epoch: $0.epoch) }
    _ = try loop.run(self, on: source) { report in
      onStep(report)
      return false
    }
  }

  /// How many weights are trained.
  public var trainedWeights: Int { parts.trained.reduce(0) { $0 + $1.parameter.tensor.count } }

  /// This rank's rows of the next batch in the parts that they are computed in, and what is drawn for each image.
  public func take(_ views: ViewBatches, epoch: Int) throws -> [O.Drawn] {
    try share.take(from: views) { count in
      let rows = try views.take(count)
      return try objective.draw(for: BatchRows(rows, of: views, seed: configuration.seed, epoch: epoch))
    }
  }

  public func gradients(of batch: [O.Drawn], at place: StepPlace) -> StepLosses {
    objective.gradients(of: batch, at: place)
  }

  public func update(at place: StepPlace) -> StepUpdate {
    let c = configuration
    let decay = cosine(c.weightDecay, c.weightDecayEnd ?? c.weightDecay, Double(place.step), Double(place.steps))
    return StepUpdate(
      weightDecay: decay, clip: c.clip > 0 ? O.clip(c.clip) : nil, frozen: objective.frozenSteps(at: place))
  }

  public func follow(at place: StepPlace) -> [Figure] { objective.follow(at: place) }
}

extension Configuration {
  /// The encoder of a run that goes on.
  public static func encoder(of checkpoint: CheckpointFile) throws -> EncoderConfiguration {
    try Configuration(json: checkpoint.header.config, source: checkpoint.path).encoder
  }

  /// A run that goes on keeps its number of epochs and its warm-up where the command line does not give them. So more
  /// epochs lengthen only the descent of the learning rate.
  public mutating func keep(epochs: Bool, warmup: Bool, of checkpoint: CheckpointFile) throws {
    let theirs = try Configuration(json: checkpoint.header.config, source: checkpoint.path)
    if epochs { self.epochs = theirs.epochs }
    if warmup { warmupEpochs = theirs.warmupEpochs }
  }
}
