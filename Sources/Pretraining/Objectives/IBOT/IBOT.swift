import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Zhou et al., "iBOT: Image BERT Pre-Training with Online Tokenizer", ICLR 2022: DINO, and for the student blocks of the large
/// views' patches are hidden, whose labels it has to tell. The teacher, which sees every patch, makes these by the same head.
public final class IBOT: Objective {
  public struct Options: DistillationOptions, MaskOptions {
    public var maskRatio = 0.3
    public var lambdaC = 1.0
    public var lambdaP = 1.0
    public var headHidden = 2048
    public var headBottleneck = 256
    public var prototypes = 8192
    public var studentTemperature = 0.1
    public var teacherTemperature = 0.07
    public var teacherTemperatureStart = 0.04
    public var teacherTemperatureEpochs = 30
    public var centreMomentum = 0.9
    public var freezeEpochs = 1
    public var teacherMomentum = 0.996
    public var teacherMomentumEnd = 1.0

    public init() {}

    public static let settings: [Setting<Self>] =
      [
        maskSetting, .number("lambda-c", \.lambdaC, .atLeast(0), "Weight of the class token's loss."),
        .number("lambda-p", \.lambdaP, .atLeast(0), "Weight of the patches' loss."),
      ] + distillationSettings

    /// Ratios vary by so much.
    static let spread = 0.2

    public func validate(for encoder: EncoderConfiguration) throws {
      try validateDistillation()
      if maskRatio < Self.spread || maskRatio > 1 - Self.spread {
        throw Failure(
          .usage,
          "mask-ratio must be from \(Self.spread) to \(1 - Self.spread), since an image's own varies by \(Self.spread), not \(maskRatio)"
        )
      }
    }
  }

  /// The views of some images, and which patches of the large ones are hidden.
  public struct Images {
    let views: CropViews
    let hidden: HiddenPatches
  }

  public static let name = "ibot"
  public static let summary = "a teacher's labels of other views and of masked patches"
  public static let draws = ["mask_1", "mask_2"]
  public static let beta2 = 0.999
  public static let encoders = [EncoderPart("teacher"), EncoderPart("student")]
  public static let figures =
    [FigureDeclaration("teacher_momentum", panel: "momenta")]
    + ["entropy_c", "entropy_p"].map {
      FigureDeclaration($0, panel: "label entropy (1: all prototypes alike)", isShare: true, collapse: .lowOrFull)
    }
    + ["used_c", "used_p"].map {
      FigureDeclaration($0, panel: "share of prototypes in use", isShare: true, collapse: .low)
    }
    + ["centre_c", "centre_p"].map { FigureDeclaration($0, panel: "length of the labels' centre") }
    + [FigureDeclaration("teacher_temperature", panel: "temperature of the labels")]

  private let networks: SelfDistillation<Options>
  private let maskToken: Token
  private let patchCentre: LabelCentre
  public var configuration: Configuration<Options> { networks.configuration }

  /// The mask token starts at zero.
  public init(_ configuration: Configuration<Options>, engine: Engine) {
    networks = SelfDistillation(configuration, engine: engine)
    maskToken = Token("mask_token", width: configuration.encoder.width, engine: engine, trained: true)
    patchCentre = LabelCentre("patch_centre", prototypes: configuration.options.prototypes, engine: engine)
  }

  public var parts: [Part] { networks.parts + [Part("", maskToken), Part("", patchCentre)] }
  public static func clip(_ limit: Double) -> GradientClip { .each(limit) }
  /// Whatever is no vector decays, tokens too.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.shape.count > 1 }
  public func frozenSteps(at place: StepPlace) -> [String: Int] { networks.frozenSteps(at: place) }
  public static func views(_ c: Configuration<Options>) -> [ViewNeed] { CropViews.needs(c.encoder) }
  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    SelfDistillation.approximateWeights(c.options)
  }

  /// Of half of the large views nothing is hidden, of the others a share around the mask ratio.
  public func draw(for rows: BatchRows) throws -> Images {
    let (encoder, ratio) = (configuration.encoder, configuration.options.maskRatio)
    let least = encoder.grid / 3 * (encoder.grid / 3)
    let hidden = try [1, 2].map { view in
      try rows.hidden("mask_\(view)", grid: encoder.grid, view: view - 1) { random in
        guard random.uniform() < 0.5 else { return [Bool](repeating: false, count: encoder.patches) }
        let share = random.uniform(in: ratio - Options.spread...ratio + Options.spread)
        return DrawnMask.blocks(
          &random, grid: encoder.grid, target: share * Double(encoder.patches), least: least)
      }
    }
    return Images(
      views: CropViews(rows, student: networks.student), hidden: HiddenPatches(joining: hidden))
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    let temperature = configuration.options.teacherTemperature(epoch: place.epoch)
    let fresh = LabelUse(prototypes: configuration.options.prototypes)
    var (classUse, patchUse) = (fresh, fresh)
    var losses = Training.gradients(parts: batch.count, engine: networks.engine) { tape, part in
      self.losses(tape, batch[part], temperature: temperature, classUse: &classUse, patchUse: &patchUse)
    }
    let ranks = networks.engine.ranks
    let (c, p) = (classUse.shares(over: ranks), patchUse.shares(over: ranks))
    losses.watched += [
      Figure("entropy_c", c.entropy), Figure("entropy_p", p.entropy), Figure("used_c", c.used),
      Figure("used_p", p.used),
      Figure("centre_c", networks.classCentre.length), Figure("centre_p", patchCentre.length),
      Figure("teacher_temperature", temperature),
    ]
    return losses
  }

  private func losses(
    _ tape: Tape, _ part: Images, temperature: Double, classUse: inout LabelUse, patchUse: inout LabelUse
  ) -> LossTerms {
    let (n, o, views, hidden) = (networks, configuration.options, part.views, part.hidden)
    let rows = SelfDistillation<Options>.classRows(views.global, patch: configuration.encoder.patch)
    let labels = labels(views, hidden, classRows: rows, temperature: temperature)
    classUse.note(labels.classes, engine: n.engine)
    if let patches = labels.patches { patchUse.note(patches, engine: n.engine) }
    let out = n.student(
      tape, views.global, hidden: (hidden, maskToken.tensor), keeps: views.globalKeeps, wanted: rows + hidden.rows)
    let classes = tape.gatherRows(out, (0..<Int32(rows.count)).map { $0 })
    let cosines = n.head(tape, tape.joinRows([classes] + n.localClasses(tape, views)))
    let c = n.classLoss(tape, cosines, labels: labels.classes, views: views).scaled(by: o.lambdaC)
    let p = labels.patches.map { patchLoss(tape, out, $0, hidden, after: rows.count) } ?? .nothing
    return LossTerms([.init("loss_c", c), .init("loss_p", p)])
  }

  /// The mean over an image's hidden patches, then over images and views. A view without any counts as zero.
  private func patchLoss(
    _ tape: Tape, _ out: Tensor, _ labels: Tensor, _ hidden: HiddenPatches, after classes: Int
  ) -> Loss {
    let o = configuration.options
    let tokens = tape.gatherRows(out, (0..<hidden.count).map { Int32(classes + $0) })
    let weights = hidden.counts.flatMap { [Float](repeating: 1 / Float(max($0, 1)), count: $0) }
    return tape.softCrossEntropy(
      networks.head(tape, tokens), labels: labels, scale: Float(1 / o.studentTemperature), weights: weights,
      over: Double(hidden.images)
    ).scaled(by: o.lambdaP)
  }

  /// The teacher's labels of class tokens [2·B, C] and of hidden patches [R, C], nil where there are none. The centre of patches is
  /// that of all of them.
  private func labels(
    _ views: CropViews, _ hidden: HiddenPatches, classRows: [Int32], temperature: Double
  ) -> (classes: Tensor, patches: Tensor?) {
    let n = networks
    let tape = Tape(n.engine, recording: false)
    let z = n.teacherHead.embedding(tape, n.teacher(tape, views.global))
    let classes = n.teacherHead.cosines(tape, tape.gatherRows(z, classRows))
    let patches = hidden.count > 0 ? n.teacherHead.cosines(tape, tape.gatherRows(z, hidden.rows)) : nil
    // Cosines are linear in z, so an image's mean of z stands for all of its patches.
    let means = n.teacherHead.cosines(tape, tape.meanOfPatches(z, sequences: views.global.count))
    patchCentre.note(means, standing: hidden.patches)
    n.classCentre.note(classes)
    n.classCentre.label(classes, temperature: temperature)
    if let patches { patchCentre.label(patches, temperature: temperature) }
    return (classes, patches)
  }

  public func follow(at place: StepPlace) -> [Figure] {
    networks.follow(at: place, centres: [networks.classCentre, patchCentre])
  }

  /// Of the first large view.
  public func look(at part: Images) -> [LookPanel] {
    [.groups(title: "mask", of: Array(part.hidden.groups.prefix(part.hidden.groups.count / 2)), rest: nil)]
  }
}
