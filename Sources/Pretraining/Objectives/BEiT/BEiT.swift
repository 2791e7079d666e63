import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Bao et al., "BEiT: BERT Pre-Training of Image Transformers", ICLR 2022. The encoder reads all patches, with a mask token
/// in the places of those in some blocks. A linear head predicts the visual tokens of these. The loss is the cross-entropy,
/// the mean over all masked patches of the batch.
public final class BEiT: Objective {
  public struct Options: BlockMaskOptions, TokenOptions {
    public var maskRatio = 75.0 / 196
    public var maskLeast = 16
    public var vocabulary = 8192
    public var tokenizer = ""

    public init() {}

    public static let settings: [Setting<Self>] = [maskSetting, leastSetting] + tokenSettings

    public func validate(for encoder: EncoderConfiguration) throws {
      try validateBlocks(encoder)
      try validateTokens()
    }
  }

  /// Some images, which of their patches are hidden, the tokens of these, and which branches drop path keeps.
  public struct Images {
    let images: ImageBatch
    let hidden: HiddenPatches
    let ids: [Int32]
    let keeps: [BranchKeep]?
  }

  public static let name = "beit"
  public static let summary = "visual tokens of masked patches"
  public static let draws = ["mask", "ids"]
  public static let beta2 = 0.999
  public static let figures = [
    FigureDeclaration("accuracy", panel: "share of visual tokens that are guessed", isShare: true),
    FigureDeclaration("used_tokens", panel: "share of visual tokens in use", isShare: true, collapse: .low),
  ]

  public let configuration: Configuration<Options>
  private let student: Encoder
  private let maskToken: Token
  private let head: LinearHead
  private let targets: TokenTargets
  private let engine: Engine

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    let c = configuration
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    maskToken = Token("mask_token", width: c.encoder.width, engine: engine, trained: true)
    head = LinearHead(width: c.encoder.width, outputs: c.options.vocabulary, engine: engine, trained: true)
    targets = TokenTargets(c.options, encoder: c.encoder, engine: engine)
    FreshWeights.residualScaled(student, seed: c.seed, part: 0)
    initialise(maskToken, seed: c.seed, part: 1) { _ in FreshWeights.small }
    initialise(head, seed: c.seed, part: 2) { $0.shape.count > 1 ? FreshWeights.small : nil }
  }

  public var parts: [Part] {
    [Part("student.", student), Part("", maskToken), Part("", head)] + targets.parts
  }

  public func prepare() throws { try targets.prepare() }

  /// The mask token decays.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.decays || name == "mask_token" }

  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    Double(c.encoder.width) * Double(c.options.vocabulary)
  }

  public func draw(for rows: BatchRows) throws -> Images {
    let (encoder, o) = (configuration.encoder, configuration.options)
    let hidden = try rows.hidden("mask", grid: encoder.grid) {
      DrawnMask.blocks(
        &$0, grid: encoder.grid, target: Double(o.hidden(of: encoder.patches)), least: o.maskLeast)
    }
    let images = rows.images("simple")
    return Images(
      images: images, hidden: hidden,
      ids: try targets.ids(of: hidden.places, images, rows: rows, patches: encoder.patches),
      keeps: student.drawKeeps(rows.random(.dropPath)))
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    // Masks need not be of equal size, so the loss is a sum over the batch, not a mean of its parts.
    let hidden = engine.ranks.total(batch.reduce(0) { $0 + $1.hidden.count })
    let share = Double(max(1, hidden)) / Double(engine.ranks.total(batch.count))
    var losses = Training.gradients(parts: batch.count, engine: engine) { tape, part in
      self.losses(tape, batch[part], over: share)
    }
    losses.watched.append(targets.use(of: batch.map(\.ids)))
    return losses
  }

  private func losses(_ tape: Tape, _ part: Images, over count: Double) -> LossTerms {
    if part.hidden.count == 0 {
      return LossTerms([.init("loss_m", .nothing)], watched: [Figure("accuracy", 0)])
    }
    let tokens = student(
      tape, part.images, hidden: (part.hidden, maskToken.tensor), keeps: part.keeps, wanted: part.hidden.rows)
    let logits = head(tape, tokens)
    let accuracy = engine.accuracy(logits, classes: part.ids)
    let loss = tape.crossEntropy(logits, classes: part.ids, over: count)
    return LossTerms([.init("loss_m", loss)], watched: [Figure("accuracy", accuracy)])
  }

  public func look(at part: Images) -> [LookPanel] { [.groups(title: "mask", of: part.hidden.groups, rest: nil)] }
}
