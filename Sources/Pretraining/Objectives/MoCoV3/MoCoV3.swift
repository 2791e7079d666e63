import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Chen, Xie, He, "An Empirical Study of Training Self-Supervised Vision Transformers", ICCV 2021. Two views of each image. The
/// student's output for one view has to be nearer to the teacher's for the other than to the teacher's for the batch's
/// other images. The teacher, its average, moves before the step. The patch embedding stays as it was drawn.
public final class MoCoV3: Objective {
  public struct Options: TeacherOptions, HeadWidthOptions {
    public var headHidden = 4096
    public var headBottleneck = 256
    public var studentTemperature = 0.2
    public var teacherMomentum = 0.99
    public var teacherMomentumEnd = 1.0

    public init() {}

    public static let settings: [Setting<Self>] =
      [
        .number("student-temperature", \.studentTemperature, .atLeast(0.012), "Temperature of the similarities.")
      ] + teacherSettings + headSettings

    public func validate(for encoder: EncoderConfiguration) throws { try validateHead() }

    public static func validate(_ c: Configuration<Self>) throws {
      if c.batch < 2 { throw Failure(.usage, "moco-v3 needs a batch of at least 2, not \(c.batch)") }
    }
  }

  /// Two views of some images, and which branches drop path keeps.
  public typealias Images = (views: [ImageBatch], keeps: [[BranchKeep]?])

  public static let name = "moco-v3"
  public static let wholeBatch: String? = "compares each image with all of the batch, and its norms are over the batch"
  public static let summary = "which view of the batch is the same image's"
  public static let beta2 = 0.999
  public static let encoders = [EncoderPart("student"), EncoderPart("teacher")]
  public static let figures = [
    FigureDeclaration("teacher_momentum", panel: "momenta"),
    FigureDeclaration("accuracy", panel: "share of images that are found again", isShare: true),
    FigureDeclaration("variance", panel: "variance of the teacher's outputs", isShare: true, collapse: .low),
  ]

  public let configuration: Configuration<Options>
  private let student: Encoder
  private let projector: BatchPerceptron
  private let predictor: BatchPerceptron
  private let teacher: Encoder
  private let teacherProjector: BatchPerceptron
  private let engine: Engine

  public init(_ configuration: Configuration<Options>, engine: Engine) {
    let (c, o) = (configuration, configuration.options)
    self.configuration = c
    self.engine = engine
    let (hidden, output) = (o.headHidden, o.headBottleneck)
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true, trainsPatches: false)
    projector = BatchPerceptron([c.encoder.width, hidden, hidden, output], engine: engine, trained: true)
    predictor = BatchPerceptron([output, hidden, output], engine: engine, trained: true)
    teacher = Encoder(c.encoder, engine: engine, trained: false)
    teacherProjector = BatchPerceptron([c.encoder.width, hidden, hidden, output], engine: engine, trained: false)
    initialise(student, seed: c.seed, part: 0) { parameter in
      if parameter.name == "cls_token" { return .normal(1e-6) }
      if parameter.shape.count == 1 { return nil }
      // Queries, keys and values are a matrix each.
      let rows = parameter.name.hasSuffix("qkv.weight") ? parameter.tensor.rows / 3 : parameter.tensor.rows
      return .xavier(rows, parameter.tensor.columns)
    }
    for (place, part) in [projector, predictor].enumerated() {
      initialise(part, seed: c.seed, part: 1 + place) {
        $0.shape.count > 1 ? .torch(inputs: $0.tensor.columns) : nil
      }
    }
    teacher.copy(from: student)
    teacherProjector.copy(from: projector)
  }

  public var parts: [Part] {
    [
      Part("student.", student), Part("projector.", projector), Part("predictor.", predictor),
      Part("teacher.", teacher), Part("teacher_projector.", teacherProjector),
    ]
  }

  /// Biases and norms decay too.
  public func decays(_ name: String, _ parameter: Parameter) -> Bool { true }

  public static func views(_ c: Configuration<Options>) -> [ViewNeed] {
    ["view_1", "view_2"].map { ViewNeed($0, side: c.encoder.image) }
  }

  public static func approximateWeights(_ c: Configuration<Options>) -> Double {
    let (hidden, output) = (Double(c.options.headHidden), Double(c.options.headBottleneck))
    return 2 * hidden * (hidden + output + Double(c.encoder.width))
  }

  public func draw(for rows: BatchRows) throws -> Images {
    (
      views: ["view_1", "view_2"].map { rows.images($0) },
      keeps: [0, 1].map { student.drawKeeps(rows.random(.dropPath, view: $0)) }
    )
  }

  public func gradients(of batch: [Images], at place: StepPlace) -> StepLosses {
    let momentum = configuration.options.teacherClock.momentum(at: place) ?? 1
    average(teacher, towards: student, momentum: momentum, engine: engine)
    average(teacherProjector, towards: projector, momentum: momentum, engine: engine)
    var losses = Training.gradients(parts: batch.count, engine: engine) { tape, part in
      self.losses(tape, batch[part])
    }
    losses.watched.append(Figure("teacher_momentum", momentum))
    return losses
  }

  /// A view at a time goes through every network, so that norms see the rows of one view, and running statistics move twice.
  private func losses(_ tape: Tape, _ part: Images) -> LossTerms {
    let queries = zip(part.views, part.keeps).map { view, keeps in
      let token = student(tape, view, keeps: keeps, wanted: Self.classRows(view.count, configuration.encoder))
      return tape.normaliseRows(predictor(tape, projector(tape, token)))
    }
    let still = Tape(engine, recording: false)
    let keys = part.views.map { view in
      let token = teacher(still, view, wanted: Self.classRows(view.count, configuration.encoder))
      return still.normaliseRows(teacherProjector(still, token))
    }
    let images = part.views[0].count
    // Each image is compared with those of all ranks.
    let all = keys.map { engine.rowsOfAllRanks($0) }
    let own = (0..<Int32(images)).map { $0 + Int32(all[0].first) }
    let t = configuration.options.studentTemperature
    var accuracy = 0.0
    let terms = [(queries[0], all[1].rows), (queries[1], all[0].rows)].enumerated().map { place, pair in
      let logits = tape.linear(pair.0, pair.1)
      accuracy += engine.accuracy(logits, classes: own) / 2
      // InfoNCE, times 2 · temperature.
      let loss = tape.crossEntropy(logits, classes: own, scale: Float(1 / t), over: Double(images) / (2 * t))
      return LossTerms.Term("loss_\(place + 1)", loss)
    }
    return LossTerms(
      terms, watched: [Figure("accuracy", accuracy), Figure("variance", engine.unitVariance(all[0].rows))])
  }

  private static func classRows(_ images: Int, _ c: EncoderConfiguration) -> [Int32] {
    (0..<Int32(images)).map { $0 * Int32(1 + c.patches) }
  }
}
