import ArgumentParser
import Autodiff
import Finetuning
import Networks
import Training

extension PixelAverage: ExpressibleByArgument {}

/// Numbers with commas between.
struct NumberList: ExpressibleByArgument {
  let values: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    if parts.contains(nil) { return nil }
    values = parts.compactMap(\.self)
  }
}

/// What `--task segment` alone has.
struct SegmentationOptions: ParsableArguments {
  enum Positions: String, CaseIterable, ExpressibleByArgument {
    case stretched, counted
  }

  @Option(help: ArgumentHelp("Four blocks that are read, from 0, with commas between.", valueName: "list"))
  var taps: NumberList?

  @Option(help: "Width of UPerNet (default: the encoder's).")
  var headChannels: Int?

  @Option(help: "Width of the auxiliary head (default: 256).")
  var auxChannels: Int?

  @Option(help: ArgumentHelp("Sides of the grids of UPerNet's pools (default: 1,2,3,6).", valueName: "list"))
  var pools: NumberList?

  @Option(help: "Share of channels left out before the classes (default: 0.1).")
  var dropout: Double?

  @Option(help: "Weight of the auxiliary head's loss (default: 0.4).")
  var auxWeight: Double?

  @Option(help: "Fixed positions of views of another size: stretched, or counted (default: stretched).")
  var positions: Positions?

  @Option(help: "What the loss is divided by: all pixels, or the valid ones (default: all).")
  var lossAverage: PixelAverage?

  @Option(help: "Steps over which the rate rises (default: 1500, or a tenth of the steps).")
  var warmupSteps: Int?

  @Option(
    name: .customLong("validate"),
    help: ArgumentHelp("Held-out views of pictures, whose mIoU the metrics have.", valueName: "file"))
  var heldOut: String?

  @Option(help: "Steps from one look at the held-out views to the next (default: an epoch).")
  var validateEvery: Int?

  mutating func validate() throws {
    if let validateEvery, validateEvery < 1 {
      throw ValidationError("--validate-every is \(validateEvery): expected 1 or more")
    }
    if validateEvery != nil && heldOut == nil { throw ValidationError("--validate-every needs --validate") }
  }

  /// The task's options with what they are for.
  struct Asked {
    let options: SegmentationOptions
    let classes: Int
    let encoder: EncoderConfiguration
    /// Of the model that it starts from; nil where that is no segmentation model.
    let start: SegmentationConfiguration?
  }

  /// The first option that was given.
  var given: String? {
    let all: [(String, Bool)] = [
      ("taps", taps != nil), ("head-channels", headChannels != nil),
      ("aux-channels", auxChannels != nil), ("pools", pools != nil), ("dropout", dropout != nil),
      ("aux-weight", auxWeight != nil), ("positions", positions != nil), ("loss-average", lossAverage != nil),
      ("warmup-steps", warmupSteps != nil), ("validate", heldOut != nil),
    ]
    return all.first(where: \.1)?.0
  }

  /// - Parameters:
  ///   - steps: of the whole run; nil before they are known.
  ///   - kept: of the run that goes on, whose warm-up holds where no option says another.
  ///   - start: the shape of the model that it starts from, which holds where no option says another.
  func settings(
    classes: Int, encoder: EncoderConfiguration, steps: Int?, kept: SegmentationTraining?,
    start: SegmentationConfiguration?
  ) throws -> SegmentationTraining {
    var network =
      start ?? SegmentationConfiguration(classes: classes, depth: encoder.depth, width: encoder.width)
    network.classes = classes
    network.taps = taps?.values ?? network.taps
    network.channels = headChannels ?? network.channels
    network.auxiliaryChannels = auxChannels ?? network.auxiliaryChannels
    network.pools = pools?.values ?? network.pools
    network.dropout = dropout ?? network.dropout
    network.stretchesPositions = positions.map { $0 == .stretched } ?? network.stretchesPositions
    let warmup = warmupSteps ?? kept?.warmupSteps ?? min(1500, (steps ?? 0) / 10)
    var settings = SegmentationTraining(network, warmupSteps: warmup)
    settings.auxiliaryWeight = auxWeight ?? settings.auxiliaryWeight
    settings.average = lossAverage ?? settings.average
    try settings.validate(encoder: encoder)
    return settings
  }
}
