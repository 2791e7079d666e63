import Autodiff
import Compute
import Networks
import TensorStream

/// Some images as a run sees them: views, mask and folds, where its encoder looks, and which teacher token each masked patch is
/// matched to (the paper's Figure 1).
///
/// n images, N patches, V visible, M' = K·F masked patches in K folds.
public struct Look {
  public let configuration: Configuration
  /// Each image's number in the set.
  public let index: [Int64]
  /// A label each; empty where the stream has none.
  public let label: [Int32]
  /// [n, side, side, channels].
  public let simple: [UInt8]
  /// The view that labels are made from; nil where it is the simple one, or none.
  public let complex: [UInt8]?
  /// The masks of the run's own training in that epoch.
  public let masks: Masks
  /// What the encoder makes of the simple view, unmasked.
  public let encoder: EncoderLook
  public let part: CheckpointPart
  /// For each image the patch number, in the complex view, of the teacher token that each of its masked patches is matched to, in the
  /// order of `masks.masked(M')`: [n·M']. nil where the run makes no labels.
  public let matches: [Int32]?

  /// The first images of some views.
  /// - Parameters:
  ///   - reader: a views stream that the run could be trained on.
  ///   - first: passes over so many rows before.
  ///   - count: how many images; nil for eight, or as many as there are.
  ///   - part: whose attention and features; nil for the labelling teacher, or the student where there is none.
  /// - Throws: `Failure(.data)` where the views do not fit the run: another size, fewer channels, no complex view, too few rows.
  public init(
    _ run: RunModel, _ reader: StreamReader, first: Int = 0, count wanted: Int?, part: CheckpointPart?,
    engine: Engine
  ) throws {
    let c = run.configuration
    configuration = c
    let chosen = try run.encoder(part)
    self.part = chosen.part
    let makesLabels = c.objective == .pseudoMAE
    var recipes = ["simple"]
    if makesLabels && c.labelView == .complex, try ViewBatches.has("complex", in: reader) { recipes.append("complex") }
    let views = try ViewBatches(reader, recipes: recipes, side: c.encoder.image, channels: c.encoder.channels)
    let rest = views.epochs * views.rowsPerEpoch - views.position
    let count = wanted ?? max(1, min(8, rest - first))
    guard count <= rest - first else {
      throw Failure(
        .data,
        "\(reader.name): has \(counted(rest, "row")), counted from 0: there is no row \(grouped(first + (count - 1)))")
    }
    try views.skip(first)
    // Rows of one epoch at a time: a mask is an epoch's.
    var parts: [(rows: ViewBatches.Rows, masks: Masks)] = []
    var left = count
    while left > 0 {
      let (epoch, row) = views.position.quotientAndRemainder(dividingBy: views.rowsPerEpoch)
      let rows = try views.take(min(left, views.rowsPerEpoch - row))
      parts.append((rows, try Masks(of: rows, in: views, epoch: views.firstEpoch + epoch, configuration: c)))
      left -= rows.count
    }
    index = parts.flatMap(\.rows.index)
    label = parts.flatMap(\.rows.label)
    simple = parts.flatMap { $0.rows.pixels["simple"] ?? [] }
    let complex = recipes.contains("complex") ? parts.flatMap { $0.rows.pixels["complex"] ?? [] } : nil
    self.complex = complex
    masks = Masks(shuffle: parts.flatMap(\.masks.shuffle), sequences: count, visible: c.visible)
    func images(_ pixels: [UInt8]) -> ImageBatch {
      ImageBatch(
        pixels: pixels, count: count, side: views.side, channels: views.channels, mean: views.normalisation.mean,
        std: views.normalisation.std)
    }
    let simpleImages = images(simple)
    encoder = chosen.encoder.look(at: simpleImages, engine: engine)
    let source = c.labelView == .simple ? simpleImages : complex.map(images)
    let part = MicroBatch(simple: simpleImages, complex: source, masks: masks, keeps: nil)
    matches = run.model.matches(of: part)
    for (image, number) in index.enumerated()
    where !encoder.patchFeatures(image: image).allSatisfy({ $0.allSatisfy(\.isFinite) }) {
      throw Failure(.data, "\(run.source): the features of image \(number) are not finite")
    }
  }

  /// M', masked patches of an image that take labels.
  public var matchedCount: Int { masks.foldedCount(configuration.labelFolds) }

  /// Which fold of the labelling teacher's each patch of an image is in: −1 visible, K left over by the folds; [N].
  public func folds(image: Int) -> [Int] {
    var folds = [Int](repeating: configuration.labelFolds, count: masks.patches)
    let perFold = max(1, matchedCount / configuration.labelFolds)
    for (place, patch) in masks.shuffle[image * masks.patches..<(image + 1) * masks.patches].enumerated() {
      if place < masks.visibleCount {
        folds[Int(patch)] = -1
      } else if place - masks.visibleCount < matchedCount {
        folds[Int(patch)] = (place - masks.visibleCount) / perFold
      }
    }
    return folds
  }
}

extension PseudoMAE {
  /// Which patch's token of the complex view each masked patch is matched to (§3.3): [B·M'], in the order of the masks. nil where no
  /// label is made. Drop path is off, so that the answer depends on the images alone.
  public func matches(of part: MicroBatch) -> [Int32]? {
    guard let labellingTeacher, let complex = part.complex else { return nil }
    let (c, masks) = (configuration, part.masks)
    let count = masks.foldedCount(c.labelFolds)
    let patches = masks.folded(c.labelFolds)
    if c.match == .position { return patches }
    let tape = Tape(engine, recording: false)
    let out = decoder(
      tape, student(tape, part.simple, ids: masks.visible), shuffle: masks.shuffle, sequences: masks.sequences,
      wanted: maskedRows(masks, count, classTokens: false))
    let tokens = labellingTeacher(tape, complex, ids: patches, sequencesPerImage: c.labelFolds)
    let teacher = tape.gatherRows(tokens, foldRows(tokens.rows, masks.sequences * c.labelFolds).patches)
    // Row r of the teacher's is its token of the r-th patch in the folds.
    return nearest(out, in: teacher, sequences: masks.sequences, engine: engine).map { patches[Int($0)] }
  }
}
