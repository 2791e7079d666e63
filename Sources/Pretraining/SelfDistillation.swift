import Autodiff
import CKernels
import Compute
import Networks
import Training

/// A student, and a teacher that is its moving average, each with a head; and what the student learns of the class tokens
/// (Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021). B images, L small views, C prototypes.
struct SelfDistillation<Options: DistillationOptions> {
  let configuration: Configuration<Options>
  let student: Encoder
  let head: DistillationHead
  let teacher: Encoder
  let teacherHead: DistillationHead
  let classCentre: LabelCentre
  let engine: Engine
  private var options: Options { configuration.options }

  /// Fresh weights: linear layers and the class token normal with deviation 0.02, patch embedding and prototypes PyTorch's own.
  init(_ configuration: Configuration<Options>, engine: Engine) {
    let (c, o) = (configuration, configuration.options)
    self.configuration = c
    self.engine = engine
    func head(trained: Bool) -> DistillationHead {
      DistillationHead(
        width: c.encoder.width, hidden: o.headHidden, bottleneck: o.headBottleneck, prototypes: o.prototypes,
        engine: engine, trained: trained)
    }
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    teacher = Encoder(c.encoder, engine: engine, trained: false)
    (self.head, teacherHead) = (head(trained: true), head(trained: false))
    classCentre = LabelCentre("class_centre", prototypes: o.prototypes, engine: engine)
    initialise(student, seed: c.seed, part: 0) { parameter in
      if parameter.name.hasPrefix("patch_embed") { return .torch(inputs: c.encoder.patchValues) }
      return parameter.shape.count > 1 ? .normal(0.02) : nil
    }
    initialise(self.head, seed: c.seed, part: 1) { parameter in
      if parameter.name == "class_prototypes" { return .torch(inputs: o.headBottleneck) }
      return parameter.shape.count > 1 ? .normal(0.02) : nil
    }
    teacher.copy(from: student)
    teacherHead.copy(from: self.head)
  }

  var parts: [Part] {
    [
      Part("student.", student), Part("head.", head), Part("teacher.", teacher), Part("teacher_head.", teacherHead),
      Part("", classCentre),
    ]
  }

  static func approximateWeights(_ o: Options) -> Double {
    2 * Double(o.headHidden) * Double(o.headHidden) + 2 * Double(o.headBottleneck) * Double(o.prototypes)
  }

  /// Prototypes are frozen at first.
  func frozenSteps(at place: StepPlace) -> [String: Int] {
    ["head.class_prototypes": options.freezeEpochs * place.stepsPerEpoch]
  }

  /// The teacher moves, and the centres with it.
  func follow(at place: StepPlace, centres: [LabelCentre]) -> [Figure] {
    let momentum = options.teacherClock.momentum(at: place) ?? 1
    average(teacher, towards: student, momentum: momentum, engine: engine)
    average(teacherHead, towards: head, momentum: momentum, engine: engine)
    for centre in centres { centre.move(momentum: options.centreMomentum) }
    return [Figure("teacher_momentum", momentum)]
  }

  /// The rows of the class tokens of some images of n patches each.
  static func classRows(_ images: ImageBatch, patch: Int) -> [Int32] {
    let stride = Int32(1 + images.side / patch * (images.side / patch))
    return (0..<Int32(images.count)).map { $0 * stride }
  }

  /// The student's class tokens of the small views [L·B, D]; empty where there are none.
  func localClasses(_ tape: Tape, _ views: CropViews) -> [Tensor] {
    guard let local = views.local else { return [] }
    return [
      student(
        tape, local, keeps: views.localKeeps, wanted: Self.classRows(local, patch: configuration.encoder.patch))
    ]
  }

  /// The mean, over all pairs of a teacher's large view and a different view of the student's, of the cross-entropy.
  /// - Parameters:
  ///   - cosines: the student's [(2 + L)·B, C], view after view.
  ///   - labels: the teacher's [2·B, C].
  func classLoss(_ tape: Tape, _ cosines: Tensor, labels: Tensor, views: CropViews) -> Loss {
    let (images, columns) = (views.images, labels.columns)
    // Row b of view v has the other large view's label, or the sum of both where v is small: the loss is linear in it.
    var targets = labels
    if views.locals > 0 {
      targets = Tensor(rows: 3 * images, columns: columns, values: engine.memory.take(3 * images * columns))
      engine.rows(over: targets, labels, count: images, cost: 4 * columns, as: .labels, values: 5 * images * columns) {
        targets, labels, range in
        for b in range {
          let (first, second) = (labels.row(b), labels.row(images + b))
          targets.row(b).update(from: first, count: columns)
          targets.row(images + b).update(from: second, count: columns)
          pmae_add_scaled(first, 1, second, targets.row(2 * images + b), columns)
        }
      }
    }
    let rowOf = (0..<(2 + views.locals) * images).map { row -> Int32 in
      let (view, image) = row.quotientAndRemainder(dividingBy: images)
      return Int32(view == 0 ? images + image : view == 1 ? image : 2 * images + image)
    }
    return tape.softCrossEntropy(
      cosines, labels: targets, rowOf: rowOf, scale: Float(1 / options.studentTemperature),
      over: Double(images * (2 + 2 * views.locals)))
  }
}
