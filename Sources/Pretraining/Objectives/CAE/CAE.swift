import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Chen et al., "Context Autoencoder for Self-Supervised Representation Learning", IJCV 2023. The encoder sees the patches that no
/// block hides. A regressor makes latents of the hidden ones from these, which have to be those that the encoder itself makes of
/// the hidden patches; a decoder predicts their visual tokens.
public final class CAE: Objective {
  public struct Options: BlockMaskOptions, TokenOptions {
    public var maskRatio = 0.5
    public var maskLeast = 16
    public var vocabulary = 8192
    public var tokenizer = ""
    public var decoderDepth = 4
    public var regressorDepth = 4
    public var lambdaA = 2.0

    public init() {}

    public static let settings: [Setting<Self>] =
      [maskSetting, leastSetting] + tokenSettings + [
        .whole("decoder-depth", \.decoderDepth, "Blocks of the decoder."),
        .whole("regressor-depth", \.regressorDepth, "Blocks of the regressor."),
        .number("lambda-a", \.lambdaA, .atLeast(0), "Weight of the latents' alignment."),
      ]

    public func validate(for encoder: EncoderConfiguration) throws {
      try validateBlocks(encoder)
      try validateTokens()
      for (name, depth) in [("decoder-depth", decoderDepth), ("regressor-depth", regressorDepth)]
      where !(1...1 << 10).contains(depth) {
        throw Failure(.usage, "\(name) must be from 1 to 1,024, not \(depth)")
      }
    }
  }

  /// Some images, which of their patches are hidden, the tokens of these, and which branches drop path keeps.
  public struct Images {
    let images: ImageBatch
    let hidden: HiddenPatches
    let ids: [Int32]
    let keeps: (student: [BranchKeep]?, target: [BranchKeep]?, regressor: [BranchKeep]?, decoder: [BranchKeep]?)
  }

  public static let name = "cae"
  public static let summary = "latents and visual tokens of masked patches"
  public static let draws = ["mask", "ids"]
  public static let beta2 = 0.999
  public static let figures = [
    FigureDeclaration("accuracy", panel: "share of visual tokens that are guessed", isShare: true),
    FigureDeclaration("used_tokens", panel: "share of visual tokens in use", isShare: true, collapse: .low),
    FigureDeclaration("spread", panel: "spread of the latents to be predicted"),
  ]

  public let configuration: Configuration<Options>
  private let student: Encoder
  private let maskToken: Token
  private let regressor: Regressor
  private let decoder: BlockStack
  private let head: LinearHead
  private let targets: TokenTargets
  private let engine: Engine

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    let (c, o) = (configuration, configuration.options)
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    maskToken = Token("mask_token", width: c.encoder.width, engine: engine, trained: true)
    regressor = Regressor(
      c.encoder, depth: o.regressorDepth, dropPath: c.dropPath, engine: engine, trained: true)
    decoder = BlockStack(c.encoder, depth: o.decoderDepth, dropPath: c.dropPath, engine: engine, trained: true)
    head = LinearHead(width: c.encoder.width, outputs: o.vocabulary, engine: engine, trained: true)
    targets = TokenTargets(o, encoder: c.encoder, engine: engine)
    let networks: [any Network] = [student, maskToken, regressor, decoder, head]
    for (place, network) in networks.enumerated() {
      initialise(network, seed: c.seed, part: place) { parameter in
        if parameter.name.hasSuffix("_token") || parameter.shape.count == 4 { return FreshWeights.small }
        return parameter.shape.count > 1 ? .xavier(parameter.tensor.rows, parameter.tensor.columns) : nil
      }
    }
  }

  public var parts: [Part] {
    [
      Part("student.", student), Part("", maskToken), Part("regressor.", regressor), Part("decoder.", decoder),
      Part("", head),
    ] + targets.parts
  }

  public func prepare() throws { try targets.prepare() }

  /// Whatever is no vector decays, tokens too.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.shape.count > 1 }

  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    let (width, o) = (Double(c.encoder.width), c.options)
    return width * (12 * width * Double(o.decoderDepth + o.regressorDepth) + Double(o.vocabulary))
  }

  public func draw(for rows: BatchRows) throws -> Images {
    let (encoder, o) = (configuration.encoder, configuration.options)
    let hidden = try rows.hidden("mask", grid: encoder.grid) {
      DrawnMask.blocks(
        &$0, grid: encoder.grid, target: Double(o.hidden(of: encoder.patches)), least: o.maskLeast, isExact: true)
    }
    let counts = Set(hidden.counts)
    guard counts.count == 1, let count = counts.first, count > 0, count < encoder.patches else {
      throw Failure(
        .data,
        "\(rows.source): \"mask\" hides \(counts.sorted().map(String.init).joined(separator: ", ")) of the \(encoder.patches) patches: cae needs as many of every image, and some that are seen"
      )
    }
    let images = rows.images("simple")
    func keeps(_ view: Int, _ rates: [Double]) -> [BranchKeep]? {
      drawKeeps(rows.random(.dropPath, view: view), rates: rates)
    }
    let own = student.blocks.map(\.dropPath)
    return Images(
      images: images, hidden: hidden,
      ids: try targets.ids(of: hidden.places, images, rows: rows, patches: encoder.patches),
      keeps: (
        keeps(0, own), keeps(1, own), keeps(2, regressor.blocks.map(\.dropPath)),
        keeps(3, decoder.blocks.map(\.dropPath))
      ))
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    var losses = Training.gradients(parts: batch.count, engine: engine) { tape, part in
      self.losses(tape, batch[part])
    }
    losses.watched.append(targets.use(of: batch.map(\.ids)))
    return losses
  }

  private func losses(_ tape: Tape, _ part: Images) -> LossTerms {
    let patches = Int32(configuration.encoder.patches)
    let images = part.images.count
    let masked = part.hidden.places.map { $0 % patches }
    let seen = part.hidden.seenPlaces.map { $0 % patches }
    // The regressor sees no class token.
    let visible = patchTokens(
      tape, student(tape, part.images, ids: seen, keeps: part.keeps.student), images: images)
    let still = Tape(engine, recording: false)
    let target = patchTokens(
      still, student(still, part.images, ids: masked, keeps: part.keeps.target), images: images)

    let table = student.positions(of: part.images)
    let (own, others) = (masked.count / images, seen.count / images)
    var both: [Int32] = []
    for image in 0..<images {
      both += seen[image * others..<(image + 1) * others]
      both += masked[image * own..<(image + 1) * own]
    }
    both = both.map { 1 + $0 }
    let queryRows = masked.map { 1 + $0 }
    let latent = regressor(
      tape, tape.repeated(maskToken.tensor, count: masked.count), visible: visible, positions: (table, both),
      queryRows: queryRows, sequences: images, keeps: part.keeps.regressor)
    let placed = tape.joinSequences(latent, positions: (table, queryRows), sequences: images)
    let logits = head(tape, decoder(tape, placed, sequences: images, keeps: part.keeps.decoder))
    let watched = [
      Figure("accuracy", engine.accuracy(logits, classes: part.ids)),
      Figure("spread", engine.spread(target)),
    ]
    let m = tape.crossEntropy(logits, classes: part.ids)
    let a = tape.meanSquaredError(latent, target: target).scaled(by: configuration.options.lambdaA)
    return LossTerms([.init("loss_m", m), .init("loss_a", a)], watched: watched)
  }

  /// Tokens without the class token of each sequence.
  private func patchTokens(_ tape: Tape, _ tokens: Tensor, images: Int) -> Tensor {
    let length = tokens.rows / images
    return tape.gatherRows(tokens, (0..<Int32(tokens.rows)).filter { Int($0) % length != 0 })
  }

  public func look(at part: Images) -> [LookPanel] { [.groups(title: "mask", of: part.hidden.groups, rest: nil)] }
}
