import ArgumentParser
import CommandLineKit
import Foundation
import Imaging
import Parallel
import Runs
import Schemas
import TensorStream

struct AugmentTool: Tool {
  static let configuration = CommandConfiguration(
    commandName: "pmae-augment",
    abstract:
      "Makes views of pictures: random crops, flips and colours for training, or the plain center for evaluation.",
    discussion:
      "IMAGES are images streams, as pmae-pack writes them, each with a weight behind a colon or none. See pmae-augment(1).",
    version: pmaeVersion)

  @Argument(help: ArgumentHelp("Images streams, as a.stz or a.stz:0.7; - is standard input.", valueName: "images"))
  var images: [String] = ["-"]

  @Flag(help: "Make one list of the classes of several sets, by name.")
  var mergeClasses = false

  @Flag(help: "Leave labels out, so that sets with labels and without go together.")
  var noLabels = false

  @Flag(help: "Leave masks out, so that sets with masks and without go together, and views need not move them.")
  var noMasks = false

  @Option(
    help: ArgumentHelp(
      "The mean of each channel that training will subtract, 0 to 1, with commas between them (default: the pictures' own).",
      valueName: "numbers"))
  var mean: ChannelValues?

  @Option(
    help: ArgumentHelp(
      "The deviation of each channel that training will divide by (default: the pictures' own).", valueName: "numbers"))
  var std: ChannelValues?

  @Option(
    help: ArgumentHelp(
      "Which views, with commas between them: \(ViewSet.allCases.map(\.rawValue).joined(separator: ", ")) (default: simple,complex; with --view none).",
      valueName: "names"))
  var views: String?

  @Option(
    help: ArgumentHelp(
      "A view by a recipe of your own, as 'name=small: crop 0.05-0.4 bicubic, flip'. May be repeated.",
      valueName: "recipe"))
  var view: [String] = []

  @Option(
    help: ArgumentHelp(
      "The side of the square views (default: the pictures' own, or 224; of segment 512).", valueName: "pixels"))
  var size: Int?

  @Option(
    help: ArgumentHelp(
      "For dino and ibot: the side of the small views (default: about three sevenths of the others').",
      valueName: "pixels"))
  var localSize: Int?

  @Option(
    help: ArgumentHelp("Channels of the views: 3, or 1 for grey pictures and a one-channel model.", valueName: "n"))
  var channels: Int = 3

  @Option(help: ArgumentHelp("How many epochs to make.", valueName: "n"))
  var epochs: Int = 1

  @Option(
    help: ArgumentHelp(
      "Make so many views of a picture in a row; an epoch has as many rows, and fewer pictures.", valueName: "n"))
  var repeats: Int = 1

  @Option(help: ArgumentHelp("The number of the first epoch.", valueName: "n"))
  var firstEpoch: Int = 0

  @Option(
    help: ArgumentHelp(
      "Leave out what comes before this place, counted from 0, of the same stream.", valueName: "epoch:row"))
  var from: StreamPlace?

  @Option(
    help: ArgumentHelp(
      "Leave out what the pmae-pretrain run in this folder has read up to its checkpoint.", valueName: "run"))
  var resume: String?

  @OptionGroup var part: PartOptions

  @Option(help: ArgumentHelp("The seed of everything that is drawn.", valueName: "n"))
  var seed: UInt64 = 0

  @Flag(
    inversion: .prefixedNo,
    help: "A new order in each epoch, or the pictures' own (default: a new one, unless center is the only view).")
  var shuffle: Bool?

  @Option(
    help: ArgumentHelp(
      "For center: the view's side over the resized picture's short side (default: 0.875, or 1 for square pixels of that size).",
      valueName: "ratio"))
  var cropRatio: Double?

  @Option(help: ArgumentHelp("Samples in each record (default: about four megabytes of each view).", valueName: "n"))
  var rowsPerRecord: Int?

  @Option(
    help: ArgumentHelp(
      "How much of the pictures to keep in memory, as 500M or 8G; a set that fits is permuted as a whole.",
      valueName: "size"))
  var shuffleMemory = ByteCount(bytes: 2 << 30)

  @OptionGroup var output: OutputOptions
  @OptionGroup var threads: ThreadOptions

  /// The largest side of a view.
  private static let maximumSize = 8192

  func validate() throws {
    for (name, value) in [("--epochs", epochs), ("--rows-per-record", rowsPerRecord ?? 1)] {
      if value < 1 { throw ValidationError("\(name) is \(value): expected at least 1") }
      if value > 1 << 30 { throw ValidationError("\(name) is \(value): expected at most \(1 << 30)") }
    }
    if !(1...256).contains(repeats) { throw ValidationError("--repeats is \(repeats): expected 1 to 256") }
    for (name, size) in [("--size", size), ("--local-size", localSize)] {
      if let size, !(1...Self.maximumSize).contains(size) {
        throw ValidationError("\(name) is \(size): expected 1 to \(Self.maximumSize)")
      }
    }
    if channels != 1 && channels != 3 { throw ValidationError("--channels is \(channels): expected 1 or 3") }
    if noLabels && mergeClasses { throw ValidationError("--merge-classes and --no-labels exclude each other") }
    for (name, values) in [("--mean", mean), ("--std", std)] {
      if let values { try values.check(name, channels: channels) }
    }
    // Epochs are 32 bits of the random numbers' counter.
    if firstEpoch < 0 || firstEpoch > Int(UInt32.max) - epochs {
      throw ValidationError("--first-epoch is \(firstEpoch): expected 0 to \(Int(UInt32.max) - epochs)")
    }
    if from != nil && resume != nil { throw ValidationError("--from and --resume exclude each other") }
    if let from, !(firstEpoch..<(firstEpoch + epochs)).contains(from.epoch) {
      throw ValidationError(
        "--from is in epoch \(from.epoch): expected \(firstEpoch) to \(firstEpoch + epochs - 1), of --first-epoch and --epochs"
      )
    }
    if let cropRatio, !(cropRatio >= 0.01 && cropRatio <= 1) {
      throw ValidationError("--crop-ratio is \(cropRatio): expected 0.01 to 1")
    }
    let recipes = try recipes(centerShare: 1, size: size ?? 224)
    let names = recipes.map { $0.name }
    if Set(names).count < names.count {
      throw ValidationError("two views have one name: \(names.joined(separator: ", "))")
    }
    if localSize != nil && !presets.contains(where: { ViewSet(rawValue: $0)?.hasLocal == true }) {
      throw ValidationError("--local-size needs dino or ibot among --views")
    }
    if cropRatio != nil && !presets.contains("center") {
      throw ValidationError("--crop-ratio needs center among --views")
    }
    if recipes.allSatisfy({ $0.isDeterministic }) && repeats > 1 {
      throw ValidationError(
        "--repeats is \(repeats), but all views of a picture by \(names.joined(separator: ", ")) would be the same")
    }
    if recipes.allSatisfy({ $0.isDeterministic }) && epochs > 1 && shuffle != true {
      throw ValidationError(
        "--epochs is \(epochs), but each epoch of \(names.joined(separator: ", ")) would be the same; --shuffle makes new orders of it"
      )
    }
  }

  /// The names in --views.
  private var presets: [String] {
    guard let views else { return view.isEmpty ? ["simple", "complex"] : [] }
    return views.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
  }

  /// Those of --views, then those of --view. `share` is for center.
  private func recipes(centerShare share: Double, size: Int) throws -> [Recipe] {
    let named = try presets.flatMap { name in
      guard let set = ViewSet(rawValue: name) else {
        let known = ViewSet.allCases.map(\.rawValue)
        throw ValidationError(
          "--views has \"\(name)\": expected \(known.dropLast().joined(separator: ", ")) or \(known[known.count - 1])")
      }
      return set.recipes(
        centerShare: share, localSide: localSize ?? ViewSet.localSide(of: size), side: self.size ?? 512)
    }
    do {
      return named + (try view.flatMap { try Recipe.all(line: $0) })
    } catch let failure as Failure {
      throw ValidationError("--view: \(failure.message)")
    }
  }

  /// What --mean and --std say, and of what they leave open the pictures' own; nil without either.
  private func statistics(of store: ImageStore) throws -> ChannelStatistics? {
    if let flat = store.statistics?.std.firstIndex(of: 0), std == nil {
      note(
        "pmae-augment",
        "\(store.name): channel \(flat + 1) has no variance, and training divides by the deviation: --std gives it one",
        quiet: output.quiet)
    }
    if mean == nil && std == nil { return nil }
    func values(_ given: ChannelValues?, _ own: [Double]?, _ name: String, _ other: String) throws -> [Double] {
      if let given { return given.of(channels: channels) }
      guard let own else {
        throw Failure(.usage, "\(store.name): says no mean and deviation, so \(other) needs \(name)")
      }
      return own.count == channels ? own : Array(repeating: own[0], count: channels)
    }
    return ChannelStatistics(
      mean: try values(mean, store.statistics?.mean, "--mean", "--std"),
      std: try values(std, store.statistics?.std, "--std", "--mean"))
  }

  func execute() throws {
    let store = try ImageStore(
      try images.map { try ImageInput(operand: $0) }, mergesClasses: mergeClasses, ignoresLabels: noLabels,
      ignoresMasks: noMasks,
      memory: shuffleMemory.bytes)
    let side = store.pixelShape.flatMap { $0.height == $0.width && $0.height <= Self.maximumSize ? $0.height : nil }
    let size = size ?? side ?? 224
    let recipes = try recipes(centerShare: cropRatio ?? (side == size ? 1 : 0.875), size: size)
    var views = ViewStream(recipes: recipes, size: size, rowsPerRecord: rowsPerRecord)
    views.channels = channels
    views.statistics = try statistics(of: store)
    let start = try firstPlace(rows: store.rows)
    views.epochs = firstEpoch + epochs - start.epoch
    views.firstEpoch = start.epoch
    views.firstRow = start.row
    views.seed = seed
    views.part = part.part
    views.repeats = repeats
    views.shuffles = shuffle ?? !recipes.allSatisfy { $0.isDeterministic }
    if rowsPerRecord ?? 1 > 1, recipes.contains(where: { $0.isWhole }) {
      throw Failure(
        .usage, "--rows-per-record \(rowsPerRecord!): whole pictures have different sizes, so a record has one")
    }
    let provenance = Provenance.metadata(tool: "pmae-augment", inputs: store.inputs)
    let writer = try StreamWriter(
      path: output.output, kind: "views", metadata: try views.metadata(for: store).merging(provenance) { $1 },
      overwrite: output.overwrite)
    let progress = Progress(
      tool: "pmae-augment", what: "samples", total: views.count(of: store), quiet: output.quiet)
    try views.write(from: store, to: writer, pool: ThreadPool(threads: threads.count)) { progress.update($0) }
    try writer.finish()
    progress.finish()
  }
}
