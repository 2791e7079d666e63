import Autodiff
import Networks
import Settings
import TensorStream
import Training

/// What a segmentation can be told. What depends on the encoder, the classes and the run is filled in by `complete`.
public struct SegmentationOptions: DeclaredOptions {
  /// What fixed positions of views of another size are.
  public enum Positions: String, CaseIterable, Sendable {
    case stretched, counted
  }

  /// The network but for its classes; its `taps` and `channels` are those of no encoder at first.
  public var network = SegmentationConfiguration(classes: 1, depth: 12, width: 0)
  /// Steps over which the factor of the poly schedule rises.
  public var warmupSteps = 1500
  /// The weight of the auxiliary head's loss.
  public var auxiliaryWeight = 0.4
  /// What the losses are divided by.
  public var average = PixelAverage.all

  public init() {}

  private var positions: Positions {
    get { network.stretchesPositions ? .stretched : .counted }
    set { network.stretchesPositions = newValue == .stretched }
  }

  public static let settings: [Setting<SegmentationOptions>] = [
    .list(
      "taps", at: network("taps"), \.network.taps, "Four blocks that are read, from 0, with commas between.",
      usual: "after a third, a half, two thirds and all of the blocks"),
    .whole(
      "head-channels", at: network("channels"), \.network.channels, "Width of UPerNet.", usual: "the encoder's"),
    .whole(
      "aux-channels", at: network("auxiliaryChannels"), \.network.auxiliaryChannels, "Width of the auxiliary head."),
    .list(
      "pools", at: network("pools"), \.network.pools, "Sides of the grids of UPerNet's pools, with commas between."),
    .number(
      "dropout", at: network("dropout"), \.network.dropout, .belowOne,
      "Share of channels that are left out before the classes."),
    .word(
      "positions", at: network("positions"), \.positions, "What fixed positions are, of views of another size."),
    .number(
      "aux-weight", at: ["segmentation", "auxiliaryWeight"], \.auxiliaryWeight, .atLeast(0),
      "Weight of the auxiliary head's loss."),
    .word(
      "loss-average", at: ["segmentation", "average"], \.average,
      "What the loss is divided by: all pixels, or the valid ones."),
    .whole(
      "warmup-steps", at: ["segmentation", "warmupSteps"], \.warmupSteps, "Steps over which the rate rises.",
      usual: "1500, or a tenth of the steps"),
  ]

  private static func network(_ key: String) -> [String] { ["segmentation", "network", key] }
}

extension Segmentation {
  public static let wholeBatch: String? = "normalises over the whole batch"
  public static let usual: UsualRecipe = {
    var usual = UsualRecipe()
    (usual.batch, usual.baseRate, usual.layerDecay, usual.warmup) = (16, 1.6e-3, 0.65, 0)
    return usual
  }()

  public static func complete(
    _ options: inout SegmentationOptions, given: Set<String>, for known: Circumstances<Segmentation>
  ) throws {
    if let start = known.start {
      // The shape of the model that it starts from, where no option says another.
      options.network = options.over(start, given: given).network
    } else if let encoder = known.encoder {
      if !given.contains("taps") { options.network.taps = SegmentationConfiguration.taps(depth: encoder.depth) }
      if !given.contains("head-channels") { options.network.channels = encoder.width }
    }
    if !given.contains("warmup-steps") {
      options.warmupSteps = known.kept?.warmupSteps ?? min(1500, (known.steps ?? 0) / 10)
    }
    if let views = known.views { options.network.classes = views.classes.count }
    if let encoder = known.encoder { try options.network.validate(depth: encoder.depth) }
  }

  public static func validate(_ c: FinetuningConfiguration<Segmentation>) throws {
    func refuse(_ option: String, _ reason: String) -> Failure {
      Failure(.usage, "--\(option): --task \(name) \(reason)")
    }
    if c.batch == 1 {
      throw Failure(.usage, "--batch is 1: a pool of one pixel of one image has no variance; give 2 or more")
    }
    if c.warmupEpochs > 0 { throw refuse("warmup-epochs", "counts steps: --warmup-steps") }
    if c.minimumRate > 0 { throw refuse("min-lr", "ends at a rate of 0") }
    if c.warmupRate > 0 { throw refuse("warmup-lr", "begins at a millionth of its rate") }
    if c.ema != nil { throw refuse("ema", "has batch norms, whose statistics are no weights to average") }
    let steps = c.options.warmupSteps
    if !(0...1 << 30 ~= steps) { throw Failure(.usage, "warmup-steps must be 0 or more, not \(steps)") }
  }

  /// mmcv's poly schedule.
  public static func schedule(_ configuration: FinetuningConfiguration<Segmentation>) -> RateSchedule {
    var schedule = configuration.cosineSchedule
    schedule.poly = .init(warmupSteps: configuration.options.warmupSteps)
    return schedule
  }

  public static func saved(_ stored: StoredWeights) throws -> SavedModel<SegmentationOptions>? {
    guard try SegmenterFile.isOne(stored) else { return nil }
    let file = try SegmenterFile(stored)
    var options = SegmentationOptions()
    options.network = file.network
    return SavedModel(encoder: file.encoder, normalisation: file.normalisation, options: options)
  }
}
