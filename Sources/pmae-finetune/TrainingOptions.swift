import ArgumentParser
import CommandLineKit
import Compute
import Finetuning
import Networks
import Settings
import Training

extension FinetuningMode: ExpressibleByArgument {}
extension PrecisionChoice: ExpressibleByArgument {}

/// How it is trained. The defaults depend on the mode, and are MAE's.
struct TrainingOptions: ParsableArguments {
  @Option(help: "What is trained: a linear layer on frozen features, or all weights.")
  var mode = FinetuningMode.full

  @Option(help: "Images a step (default: \(usual(\.batch)), or all where there are fewer, in whole parts).")
  var batch: Int?

  @Option(help: "Parts in which a batch is computed one after the other, to need less memory (default: 1).")
  var accumulate: Int?

  @Option(help: "Passes over the images (default: those that the views hold; 90 in linear mode on one).")
  var epochs: Int?

  @Option(help: "Epochs over which the learning rate rises (default: this share of the epochs: \(usual(\.warmup))).")
  var warmupEpochs: Double?

  @Option(help: "Peak learning rate (default: from --base-lr).")
  var lr: Double?

  @Option(
    help:
      "Peak learning rate for a batch of 256; scaled by the batch (default: \(usual(\.baseRate)); 0.1 of sgd and lars)."
  )
  var baseLr: Double?

  @Option(help: "Decay of matrices (default: 0.05, 0 in linear mode).")
  var weightDecay: Double?

  @Option(
    help:
      "Factor of the learning rate from block to block downwards (default: \(usual(\.layerDecay)); 1 for fresh weights)."
  )
  var layerDecay: Double?

  @Option(help: "Drop-path rate of the last block (default: 0.1).")
  var dropPath: Double?

  @Option(help: "Seed of fresh weights, order and drop path.")
  var seed: UInt64 = 0

  @Option(help: "What the encoder's matrices are multiplied in.")
  var precision = PrecisionChoice.float32

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var profile: ProfileOptions

  mutating func validate() throws {
    if let reason = precision.unavailable { throw ValidationError(reason) }
    if lr != nil && baseLr != nil { throw ValidationError("--lr and --base-lr exclude each other") }
    if let accumulate, accumulate < 1 { throw ValidationError("--accumulate is \(accumulate): expected 1 or more") }
    if mode == .linear {
      let given = [
        ("accumulate", accumulate != nil), ("layer-decay", layerDecay != nil), ("drop-path", dropPath != nil),
        ("profile", profile.asText), ("profile-json", profile.path != nil),
      ]
      for (name, isGiven) in given where isGiven {
        throw ValidationError("--\(name) has no meaning in linear mode: the encoder is frozen")
      }
    }
    try recipe.validate(isLinear: mode == .linear)
  }

  /// A default as `--help` says it: that of each task, where they differ.
  private static func usual<Value: Equatable>(_ place: KeyPath<UsualRecipe, Value>) -> String {
    let all = tasks.map { (name: $0.name, value: $0.usual[keyPath: place]) }
    guard let first = all.first, all.contains(where: { $0.value != first.value }) else {
      return all.first.map { "\($0.value)" } ?? ""
    }
    return all.map { "\($0.value) to \($0.name)" }.joined(separator: ", ")
  }

  /// - Parameters:
  ///   - options: the task's own, and the names of those that were given.
  ///   - encoder: nil before the file that it is from is read.
  ///   - views: nil before they are open: then only the options are checked.
  ///   - keepsEpochs: whether the run's epochs are those of the views by their numbers.
  ///   - kept: the run that goes on; its schedule holds where no option says another.
  ///   - start: of the whole model that it starts from.
  ///   - shards: in how many a batch is computed.
  func configuration<T: Task>(
    _ options: (options: T.Options, given: Set<String>), encoder: EncoderConfiguration?, views: T.Views? = nil,
    keepsEpochs: Bool = false, kept: FinetuningConfiguration<T>? = nil, start: T.Options? = nil, isFresh: Bool,
    shards: Int
  ) throws -> FinetuningConfiguration<T> {
    let held = views.map { (keepsEpochs ? $0.batches.firstEpoch : 0) + $0.batches.epochs }
    let rows = views?.batches.rowsPerEpoch
    let isLinear = mode == .linear
    let parts = (accumulate ?? 1) * shards
    let batch = batch ?? max(min(T.usual.batch, rows ?? T.usual.batch) / parts, 1) * parts
    // A probe can make any number of passes over one epoch of views, since it keeps the features.
    let known = isLinear && views?.batches.epochs == 1 ? 90 : held
    let usualRate = recipe.optimizer ?? .adamW == .adamW ? T.usual.baseRate : 0.1
    var c = FinetuningConfiguration<T>(
      mode: mode, epochs: epochs ?? kept?.epochs ?? known ?? 1 << 30,
      learningRate: lr ?? (baseLr ?? usualRate) * Double(batch) / 256,
      weightDecay: weightDecay ?? (isLinear ? 0 : 0.05))
    c.batch = batch
    c.accumulate = accumulate ?? 1
    if !isLinear {
      c.layerDecay = layerDecay ?? (isFresh ? 1 : T.usual.layerDecay)
      c.dropPath = dropPath ?? 0.1
    }
    c.warmupEpochs = warmupEpochs ?? kept?.warmupEpochs ?? Double(c.epochs) * T.usual.warmup
    c.seed = seed
    recipe.apply(to: &c)
    c.options = options.options
    try T.complete(
      &c.options, given: options.given,
      for: Circumstances(
        mode: mode, encoder: encoder, views: views, steps: rows.map { c.epochs * ($0 / batch) }, kept: kept?.options,
        start: start))
    try c.validate()
    return c
  }
}
