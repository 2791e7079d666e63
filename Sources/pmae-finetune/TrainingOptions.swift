import ArgumentParser
import CommandLineKit
import Compute
import Finetuning
import Networks
import Training

extension FinetuningConfiguration.Mode: ExpressibleByArgument {}
extension Pooling: ExpressibleByArgument {}
extension PrecisionChoice: ExpressibleByArgument {}

/// How it is trained. The defaults depend on the mode, and are MAE's.
struct TrainingOptions: ParsableArguments {
  @Option(help: "What is trained: a linear layer on frozen features, or all weights.")
  var mode = FinetuningConfiguration.Mode.full

  @Option(
    help:
      "What the classifier sees: class token, mean of the patches, or their means in 3 x 3 parts of the picture (default: class in linear mode, mean in full mode)."
  )
  var pool: Pooling?

  @Option(help: "Images a step (default: 256, or all where there are fewer, in whole parts).")
  var batch: Int?

  @Option(help: "Parts in which a batch is computed one after the other, to need less memory (default: 1).")
  var accumulate: Int?

  @Option(help: "Passes over the images (default: those that the views hold; 90 in linear mode on one).")
  var epochs: Int?

  @Option(help: "Epochs over which the learning rate rises (default: a tenth of the epochs).")
  var warmupEpochs: Double?

  @Option(help: "Peak learning rate (default: from --base-lr).")
  var lr: Double?

  @Option(
    help:
      "Peak learning rate for a batch of 256; scaled by the batch (default: 0.001; of sgd and lars 0.1, to segment 0.0016)."
  )
  var baseLr: Double?

  @Option(help: "Decay of matrices (default: 0.05, 0 in linear mode).")
  var weightDecay: Double?

  @Option(help: "Factor of the learning rate from block to block downwards (default: 0.75, 1 for fresh weights).")
  var layerDecay: Double?

  @Option(help: "Drop-path rate of the last block (default: 0.1).")
  var dropPath: Double?

  @Option(help: "Share of a label that is spread over all classes (default: 0.1, 0 in linear mode).")
  var labelSmoothing: Double?

  @Option(
    help: ArgumentHelp(
      "Mix images by a share from Beta(alpha, alpha), for mixup; MAE's is 0.8 (default: none).", valueName: "alpha"
    ))
  var mixup: Double?

  @Option(
    help: ArgumentHelp(
      "Paste a square of one image into another, for CutMix; MAE's alpha is 1 (default: none).", valueName: "alpha"))
  var cutmix: Double?

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
        ("mixup", mixup != nil), ("cutmix", cutmix != nil),
        ("profile", profile.asText), ("profile-json", profile.path != nil),
      ]
      for (name, isGiven) in given where isGiven {
        throw ValidationError("--\(name) has no meaning in linear mode: the encoder is frozen")
      }
    }
    try recipe.validate(
      isLinear: mode == .linear, mixesBoth: mixup != nil && cutmix != nil, mixes: mixup != nil || cutmix != nil)
  }

  /// Throws where an option was given that only a task with a class for each image has.
  func requireNoImageClasses(task: String) throws {
    let given = [
      ("mode linear", mode == .linear), ("pool", pool != nil), ("label-smoothing", labelSmoothing != nil),
      ("mixup", mixup != nil), ("cutmix", cutmix != nil), ("loss", recipe.loss != nil), ("ema", recipe.ema != nil),
      ("min-lr", recipe.minLr != nil), ("warmup-lr", recipe.warmupLr != nil),
    ]
    for (name, isGiven) in given where isGiven {
      throw ValidationError("--\(name) has no meaning with --task \(task), which has a class for each pixel")
    }
    if warmupEpochs != nil { throw ValidationError("--warmup-epochs: --task \(task) counts steps: --warmup-steps") }
    if accumulate ?? 1 > 1 {
      throw ValidationError(
        "--accumulate: --task \(task) normalises over whole batches, which cannot be cut into parts")
    }
  }

  /// - Parameters:
  ///   - views: nil before they are open: then only the options are checked.
  ///   - keepsEpochs: whether the run's epochs are those of the views by their numbers.
  ///   - kept: the run that goes on; its schedule holds where no option says another.
  ///   - segmentation: what that task has; nil for others.
  func configuration(
    of views: ViewBatches?, keepsEpochs: Bool = false, kept: FinetuningConfiguration? = nil, isFresh: Bool,
    segmentation: SegmentationOptions.Asked? = nil
  ) throws -> FinetuningConfiguration {
    let held = views.map { (keepsEpochs ? $0.firstEpoch : 0) + $0.epochs }
    let isLinear = mode == .linear
    let parts = accumulate ?? 1
    let usual = segmentation == nil ? 256 : 16
    let batch = batch ?? max(min(usual, views?.rowsPerEpoch ?? usual) / parts, 1) * parts
    // A probe can make any number of passes over one epoch of views, since it keeps the features.
    let known = isLinear && views?.epochs == 1 ? 90 : held
    var c = FinetuningConfiguration(
      mode: mode, pooling: pool ?? (isLinear ? .classToken : .mean), epochs: epochs ?? kept?.epochs ?? known ?? 1 << 30,
      learningRate: lr ?? (baseLr ?? (segmentation == nil ? recipe.baseRate : 1.6e-3)) * Double(batch) / 256,
      weightDecay: weightDecay ?? (isLinear ? 0 : 0.05))
    c.batch = batch
    c.accumulate = parts
    c.labelSmoothing = labelSmoothing ?? (isLinear || segmentation != nil ? 0 : 0.1)
    if !isLinear {
      c.layerDecay = layerDecay ?? (isFresh ? 1 : segmentation == nil ? 0.75 : 0.65)
      c.dropPath = dropPath ?? 0.1
      (c.mixup, c.cutmix) = (mixup, cutmix)
    }
    c.warmupEpochs = warmupEpochs ?? kept?.warmupEpochs ?? Double(c.epochs) / 10
    if let asked = segmentation {
      if batch == 1 {
        throw ValidationError("--batch is 1: a pool of one pixel of one image has no variance; give 2 or more")
      }
      c.warmupEpochs = 0
      c.segmentation = try asked.options.settings(
        classes: asked.classes, encoder: asked.encoder, steps: views.map { c.epochs * ($0.rowsPerEpoch / batch) },
        kept: kept?.segmentation, start: asked.start)
    }
    c.seed = seed
    recipe.apply(to: &c)
    try c.validate()
    return c
  }
}
