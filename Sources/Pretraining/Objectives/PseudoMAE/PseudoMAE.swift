import Autodiff
import Compute
import Networks
import Training

/// The method (Nandam et al., "Pseudo Labelling for Enhanced Masked Autoencoders", 2024). A student sees a quarter of
/// an image's patches. For the others it predicts features of a reconstruction teacher (Eq. 1–2) and pseudo-labels of a
/// labelling teacher (Eq. 3–4). Both teachers are averages of the student, and have clocks of their own
/// (Teachers.swift).
///
/// B images, N patches, V visible, M = N − V masked, K folds of F = ⌊M / K⌋ patches, width D, C prototypes.
public final class PseudoMAE: Objective {
  public typealias Options = PseudoMAEOptions

  public static let name = "pseudo-mae"
  public static let summary = "features and pseudo-labels of two teachers (the paper's method)"

  public let configuration: Configuration<PseudoMAEOptions>
  public let student: Encoder
  public let decoder: Decoder
  public let head: ProjectionHead
  /// From predicted features to pixels; nil where λ_pixels is 0.
  public let pixelHead: LinearHead?
  /// The labelling teacher itself where one teacher does both (Table 6).
  public let reconstructionTeacher: Encoder
  public let labellingTeacher: Encoder
  public let labellingHead: ProjectionHead
  let engine: Engine
  var options: PseudoMAEOptions { configuration.options }

  /// Fresh weights from the seed; the teachers start as copies of the student.
  public init(_ configuration: Configuration<PseudoMAEOptions>, engine: Engine) {
    let (c, o) = (configuration, configuration.options)
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    decoder = Decoder(o.decoder, encoder: c.encoder, output: c.encoder.width, engine: engine, trained: true)
    head = ProjectionHead(o.head, width: c.encoder.width, engine: engine, trained: true)
    pixelHead =
      o.lambdaPixels > 0
      ? LinearHead(width: c.encoder.width, outputs: c.encoder.patchValues, engine: engine, trained: true) : nil
    labellingTeacher = Encoder(c.encoder, engine: engine, trained: false)
    labellingHead = ProjectionHead(o.head, width: c.encoder.width, engine: engine, trained: false)
    reconstructionTeacher =
      o.teachers == .disentangled ? Encoder(c.encoder, engine: engine, trained: false) : labellingTeacher
    initialise(student, seed: c.seed, part: 0)
    initialise(decoder, seed: c.seed, part: 1)
    initialiseNormal(head, seed: c.seed, part: 2)
    if let pixelHead { initialiseNormal(pixelHead, seed: c.seed, part: 3) }
    for teacher in [labellingTeacher, reconstructionTeacher] { teacher.copy(from: student) }
    labellingHead.copy(from: head)
  }

  public var parts: [Part] {
    var own = options.teachers == .disentangled ? [Part("reconstruction_teacher.", reconstructionTeacher)] : []
    if let pixelHead { own.append(Part("pixels.", pixelHead)) }
    return [
      Part("student.", student), Part("decoder.", decoder), Part("head.", head),
      Part("labelling_teacher.", labellingTeacher), Part("labelling_head.", labellingHead),
    ] + own
  }

  /// Labels are balanced over the whole batch, so the labels of all its parts are made first.
  public func gradients(of batch: [PseudoMAEImages], at place: StepPlace) -> StepLosses {
    precondition(batch.allSatisfy { $0.simple.count == batch[0].simple.count }, "parts of a batch are of equal size")
    let schedule = options.schedule(epoch: place.epochsDone)
    var (labels, health) = labels(of: batch, schedule: schedule)
    // Nothing else keeps a part's labels, so the backward pass can use their memory.
    var losses = Training.gradients(parts: batch.count, engine: engine) { tape, part in
      self.losses(tape, batch[part], labels: labels[part].take(), schedule: schedule)
    }
    losses.watched = (health?.figures ?? []) + losses.watched + options.figures(of: schedule)
    return losses
  }

  /// The loss of some images (Eq. 5).
  /// - Parameter labels: their own; nil where no label is wanted.
  public func losses(
    _ tape: Tape, _ images: PseudoMAEImages, labels: PseudoLabels?, schedule: LabelSchedule
  ) -> LossTerms {
    let (o, masks) = (options, images.masks)
    let latent = student(tape, images.simple, ids: masks.visible, keeps: images.keeps)
    // The decoder's output for the class tokens, then for the masked patches that any fold holds.
    let (forTargets, forLabels) = (masks.foldedCount(o.reconstructionFolds), masks.foldedCount(o.labelFolds))
    let most = max(forTargets, forLabels)
    let out = decoder(tape, latent, masks, wanted: masks.predicted(most, classTokens: true))
    let prediction = tape.gatherRows(out, masks.patchRows(forTargets, of: most))

    // Eq. 1: the cosine to the target of Eq. 2.
    let m = tape.cosineLoss(prediction, target: reconstructionTarget(images.simple, masks))
    var terms = [LossTerms.Term("loss_m", m, weight: o.lambdaM)]
    if let pixelHead {
      let pixels = tape.pixelLoss(
        pixelHead(tape, prediction), of: images.simple, ids: masks.masked(forTargets),
        patch: configuration.encoder.patch)
      terms.append(.init("loss_pixels", pixels, weight: o.lambdaPixels))
    }
    guard let labels else { return LossTerms(terms) }

    let described = forLabels == forTargets ? prediction : tape.gatherRows(out, masks.patchRows(forLabels, of: most))
    let match = match(described, labels, sequences: masks.sequences)
    let token = head(tape, tape.gatherRows(out, masks.classRows), .classToken)
    let patches = head(tape, described, .patch)
    let scale = Float(1 / o.studentTemperature)
    // Eq. 3: for each masked patch the label of the nearest of the labelling teacher's tokens.
    let p = tape.softCrossEntropy(patches, labels: labels.patches, rowOf: match.rowOf, scale: scale)
    // Eq. 4: for the class token the mean of its labels over the folds.
    let c = tape.softCrossEntropy(token, labels: labels.classes, scale: scale)
    // Eq. 5: L = λ_m L_m + λ_c L_c + λ_p L_p.
    terms += [
      .init("loss_c", c, weight: schedule.weight * o.lambdaC), .init("loss_p", p, weight: schedule.weight * o.lambdaP),
    ]
    return LossTerms(terms, watched: [Figure("cosine_teacher", match.cosine)])
  }

  /// Eq. 2: the reconstruction teacher's features of the simple view's masked patches, in K folds with a class token each, every token
  /// normalised to its own mean and variance: [B·K·F, D].
  private func reconstructionTarget(_ simple: ImageBatch, _ masks: Masks) -> Tensor {
    let tape = Tape(engine, recording: false)
    let folds = options.reconstructionFolds
    let tokens = reconstructionTeacher(tape, simple, ids: masks.folded(folds), sequencesPerImage: folds)
    return tape.standardiseRows(tape.gatherRows(tokens, masks.patchRows(tokens: tokens.rows, folds: folds)))
  }
}
