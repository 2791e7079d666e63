import Autodiff
import Compute
import Networks
import Settings
import Training

/// Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021. The teacher, the student's average, sees
/// two large views of an image; the student sees these and small ones. From each view the student has to tell what the
/// teacher says of the others: its cosines to prototypes, less their centre, as a sharp distribution.
public final class DINO: Objective {
  public struct Options: DistillationOptions {
    public var headHidden = 2048
    public var headBottleneck = 256
    public var prototypes = 65536
    public var studentTemperature = 0.1
    public var teacherTemperature = 0.04
    public var teacherTemperatureStart = 0.04
    public var teacherTemperatureEpochs = 0
    public var centreMomentum = 0.9
    public var freezeEpochs = 1
    public var teacherMomentum = 0.996
    public var teacherMomentumEnd = 1.0

    public init() {}

    public static let settings: [Setting<Self>] = distillationSettings

    public func validate(for encoder: EncoderConfiguration) throws { try validateDistillation() }
  }

  /// The views of some images.
  public struct Images { let views: CropViews }

  public static let name = "dino"
  public static let summary = "a teacher's labels of other views"
  public static let beta2 = 0.999
  public static let encoders = [EncoderPart("teacher"), EncoderPart("student")]
  public static let figures = [
    FigureDeclaration("teacher_momentum", panel: "momenta"),
    FigureDeclaration(
      "entropy_c", panel: "label entropy (1: all prototypes alike)", isShare: true, collapse: .lowOrFull),
    FigureDeclaration("used_c", panel: "share of prototypes in use", isShare: true, collapse: .low),
    FigureDeclaration("centre_c", panel: "length of the labels' centre"),
    FigureDeclaration("teacher_temperature", panel: "temperature of the labels"),
  ]

  private let networks: SelfDistillation<Options>
  public var configuration: Configuration<Options> { networks.configuration }

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    networks = SelfDistillation(configuration, engine: engine)
  }

  public var parts: [Part] { networks.parts }
  public static func clip(_ limit: Double) -> GradientClip { .each(limit) }
  /// Whatever is no vector decays, the class token too.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { parameter.shape.count > 1 }
  public func frozenSteps(at place: StepPlace) -> [String: Int] { networks.frozenSteps(at: place) }
  public static func views(_ c: Configuration<Options>) -> [ViewNeed] { CropViews.needs(c.encoder) }
  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    SelfDistillation.approximateWeights(c.options)
  }

  public func draw(for rows: BatchRows) throws -> Images { Images(views: CropViews(rows, student: networks.student)) }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    let temperature = configuration.options.teacherTemperature(epoch: place.epoch)
    var use = LabelUse(prototypes: configuration.options.prototypes)
    var losses = Training.gradients(parts: batch.count, engine: networks.engine) { tape, part in
      self.losses(tape, batch[part].views, temperature: temperature, use: &use)
    }
    let (entropy, used) = use.shares(over: networks.engine.ranks)
    losses.watched += [
      Figure("entropy_c", entropy), Figure("used_c", used),
      Figure("centre_c", networks.classCentre.length), Figure("teacher_temperature", temperature),
    ]
    return losses
  }

  private func losses(_ tape: Tape, _ views: CropViews, temperature: Double, use: inout LabelUse) -> LossTerms {
    let n = networks
    let rows = SelfDistillation<Options>.classRows(views.global, patch: configuration.encoder.patch)
    let still = Tape(n.engine, recording: false)
    let labels = n.teacherHead(still, n.teacher(still, views.global, wanted: rows))
    n.classCentre.note(labels)
    n.classCentre.label(labels, temperature: temperature)
    use.note(labels, engine: n.engine)

    let classes = n.student(tape, views.global, keeps: views.globalKeeps, wanted: rows)
    let cosines = n.head(tape, tape.joinRows([classes] + n.localClasses(tape, views)))
    let loss = n.classLoss(tape, cosines, labels: labels, views: views)
    return LossTerms([.init("loss_c", loss)])
  }

  public func follow(at place: StepPlace) -> [Figure] {
    networks.follow(at: place, centres: [networks.classCentre])
  }
}
