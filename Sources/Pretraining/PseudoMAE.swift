import Autodiff
import CKernels
import Compute
import Networks

/// The method (Nandam et al., "Pseudo Labelling for Enhanced Masked Autoencoders", 2024): a student that sees a quarter of
/// an image's patches and predicts, for the others, features of a reconstruction teacher (Eq. 1–2) and pseudo-labels of a
/// labelling teacher (§3.3), two averages of itself that move on clocks of their own.
///
/// B images, N patches, V visible, M = N − V masked, K folds of F = ⌊M / K⌋ patches, width D, C prototypes.
public final class PseudoMAE {
  public let configuration: Configuration
  public let student: Encoder
  public let decoder: Decoder
  public let head: ProjectionHead?
  public let reconstructionTeacher: Encoder?
  public let labellingTeacher: Encoder?
  public let labellingHead: ProjectionHead?
  let engine: Engine

  /// Fresh weights from the seed; the teachers start as copies of the student.
  public init(_ configuration: Configuration, engine: Engine) {
    let c = configuration
    self.configuration = c
    self.engine = engine
    student = Encoder(c.encoder, dropPath: c.dropPath, engine: engine, trained: true)
    decoder = Decoder(c.decoder, encoder: c.encoder, engine: engine, trained: true)
    initialise(student, seed: c.seed, part: 0)
    initialise(decoder, seed: c.seed, part: 1)
    if c.objective == .pseudoMAE {
      let head = ProjectionHead(c.head, width: c.encoder.width, engine: engine, trained: true)
      initialiseNormal(head, seed: c.seed, part: 2)
      let teacher = Encoder(c.encoder, engine: engine, trained: false)
      let teacherHead = ProjectionHead(c.head, width: c.encoder.width, engine: engine, trained: false)
      teacher.copy(from: student)
      teacherHead.copy(from: head)
      (self.head, labellingTeacher, labellingHead) = (head, teacher, teacherHead)
    } else {
      (head, labellingTeacher, labellingHead) = (nil, nil, nil)
    }
    if c.objective == .pseudoMAE && c.teachers == .disentangled {
      let teacher = Encoder(c.encoder, engine: engine, trained: false)
      teacher.copy(from: student)
      reconstructionTeacher = teacher
    } else {
      reconstructionTeacher = nil
    }
  }

  /// The parts under the names that they have in a checkpoint.
  public var parts: [Part] {
    var parts = [Part("student.", student), Part("decoder.", decoder)]
    if let head { parts.append(Part("head.", head)) }
    if let labellingTeacher { parts.append(Part("labelling_teacher.", labellingTeacher)) }
    if let labellingHead { parts.append(Part("labelling_head.", labellingHead)) }
    if let reconstructionTeacher { parts.append(Part("reconstruction_teacher.", reconstructionTeacher)) }
    return parts
  }

  /// What the optimiser trains, under its names in a checkpoint.
  public var trained: [(name: String, parameter: Parameter)] {
    parts.flatMap { part in part.network.parameters.map { (part.prefix + $0.name, $0) } }
      .filter { $0.1.tensor.tracksGradient }
  }

  /// The losses of a batch; adds their gradients to the parameters' own. Its parts, of equal size, are computed one after
  /// the other, so that memory is needed for one alone; only labels, which are balanced over the batch, are made of all first.
  /// - Parameter schedule: of this step; nil once all warm-ups are over.
  public func gradients(of batch: [MicroBatch], schedule: LabelSchedule? = nil) -> LossValues {
    precondition(batch.allSatisfy { $0.simple.count == batch[0].simple.count }, "parts of a batch are of equal size")
    var (labels, health) = labels(of: batch, schedule: schedule)
    let values = batch.indices.map { part in
      let tape = Tape(engine)
      // Nothing else keeps a part's labels: their memory is free for the backward pass.
      let losses = losses(tape, batch[part], labels: labels[part].take(), schedule: schedule)
      losses.backward(tape, share: 1 / Double(batch.count))
      return losses.values
    }
    var mean = LossValues(meanOf: values)
    mean.health = health
    return mean
  }

  /// The loss of a part, Eq. 5 or MAE's: L = λ_m L_m + λ_c L_c + λ_p L_p.
  /// - Parameters:
  ///   - labels: the part's own; nil where no label is wanted.
  ///   - schedule: of this step; nil once all warm-ups are over.
  public func losses(
    _ tape: Tape, _ part: MicroBatch, labels: PseudoLabels?, schedule: LabelSchedule? = nil
  ) -> Losses {
    let c = configuration
    let weight = (schedule ?? c.settledLabels).weight
    let (simple, masks) = (part.simple, part.masks)
    let b = simple.count
    let latent = student(tape, simple, ids: masks.visible, keeps: part.keeps)

    if c.objective == .mae {
      let m = masks.maskedCount
      let out = decoder(
        tape, latent, shuffle: masks.shuffle, sequences: b, wanted: maskedRows(masks, m, classTokens: false))
      let pixels = patchRows(
        simple, ids: masks.masked(m), patch: c.encoder.patch, order: .channelsLast, engine: engine)
      return Losses(m: tape.meanSquaredError(out, target: tape.standardiseRows(pixels)), weightM: 1)
    }

    // The decoder's output for the class tokens, then for the masked patches that any fold holds.
    let (forTargets, forLabels) = (masks.foldedCount(c.reconstructionFolds), masks.foldedCount(c.labelFolds))
    let most = max(forTargets, forLabels)
    let out = decoder(
      tape, latent, shuffle: masks.shuffle, sequences: b, wanted: maskedRows(masks, most, classTokens: true))
    func patches(_ count: Int) -> Tensor {
      tape.gatherRows(out, (0..<b).flatMap { s in (0..<count).map { Int32(b + s * most + $0) } })
    }
    let reconstructed = patches(forTargets)

    // Eq. 1–2: the cosine to the reconstruction teacher's features, normalised a token.
    let loss = tape.cosineLoss(reconstructed, target: reconstructionTargets(simple, masks))
    guard let labels, let head else { return Losses(m: loss, weightM: c.lambdaM) }

    // Eq. 3–4: labels of the class token and, for each masked patch, of the nearest teacher token.
    let described = forLabels == forTargets ? reconstructed : patches(forLabels)
    let match =
      c.match == .nearest ? nearest(described, in: labels.tokens, sequences: b, engine: engine) : nil
    let cosine = engine.measure(.labels, values: 2 * described.count) {
      meanCosine(described, labels.tokens, rowOf: match, engine: engine)
    }
    let scale = Float(1 / c.studentTemperature)
    let classTokens = tape.gatherRows(out, (0..<Int32(b)).map { $0 })
    return Losses(
      m: loss, weightM: c.lambdaM,
      c: tape.softCrossEntropy(head(tape, classTokens, .classToken), labels: labels.classes, scale: scale),
      weightC: weight * c.lambdaC,
      p: tape.softCrossEntropy(
        head(tape, described, .patch), labels: labels.patches, rowOf: match, scale: scale),
      weightP: weight * c.lambdaP, cosine: cosine)
  }

  /// Equation 2: the reconstruction teacher's features of the simple view's masked patches, in K folds with a class token
  /// each, every token normalised to its own mean and variance: [B·K·F, D].
  private func reconstructionTargets(_ simple: ImageBatch, _ masks: Masks) -> Tensor {
    guard let teacher = reconstructionTeacher ?? labellingTeacher else { preconditionFailure("MAE has no teacher") }
    let tape = Tape(engine, recording: false)
    let folds = configuration.reconstructionFolds
    let tokens = teacher(tape, simple, ids: masks.folded(folds), sequencesPerImage: folds)
    return tape.standardiseRows(tape.gatherRows(tokens, foldRows(tokens.rows, simple.count * folds).patches))
  }

  /// §3.3: the labelling teacher's Sinkhorn assignments of the complex view's masked patches, in K folds, over the rows of
  /// all parts of a batch, and how they are. nil for each part where no label is wanted.
  public func labels(
    of batch: [MicroBatch], schedule: LabelSchedule? = nil
  ) -> (labels: [PseudoLabels?], health: LabelHealth?) {
    let c = configuration
    let views = batch.compactMap(\.complex)
    guard let labellingTeacher, let labellingHead, views.count == batch.count else {
      return (batch.map { _ in nil }, nil)
    }
    let given = zip(batch, views).map { part, complex in
      let tape = Tape(engine, recording: false)
      let tokens = labellingTeacher(
        tape, complex, ids: part.masks.folded(c.labelFolds), sequencesPerImage: c.labelFolds)
      let rows = foldRows(tokens.rows, complex.count * c.labelFolds)
      let patches = tape.gatherRows(tokens, rows.patches)
      return PseudoLabels(
        classes: labellingHead(tape, tape.gatherRows(tokens, rows.classTokens), .classToken),
        patches: labellingHead(tape, patches, .patch), tokens: patches)
    }
    // What is given are logits: labels take their place in memory.
    let values = given.reduce(0) { $0 + 3 * ($1.classes.count + $1.patches.count) }
    let temperature = (schedule ?? c.settledLabels).teacherTemperature
    let health = engine.measure(.labels, values: values) {
      let (classes, patches) = (given.map(\.classes), given.map(\.patches))
      for rows in [classes, patches] {
        sinkhorn(rows, temperature: temperature, iterations: c.sinkhornIterations, engine: engine)
      }
      return LabelHealth(classes: classes, patches: patches, engine: engine)
    }
    let labels = given.map {
      PseudoLabels(
        classes: meanOfFolds($0.classes, folds: c.labelFolds, engine: engine), patches: $0.patches, tokens: $0.tokens)
    }
    return (labels, health)
  }

  /// The labelling teacher and its head take a step towards the student: t ← m t + (1 − m) s.
  public func updateLabellingTeacher(momentum: Double) {
    guard let labellingTeacher, let labellingHead, let head else { return }
    average(labellingTeacher, towards: student, momentum)
    average(labellingHead, towards: head, momentum)
  }

  /// The reconstruction teacher takes a step towards the student.
  public func updateReconstructionTeacher(momentum: Double) {
    guard let reconstructionTeacher else { return }
    average(reconstructionTeacher, towards: student, momentum)
  }

  private func average(_ teacher: some Network, towards student: some Network, _ momentum: Double) {
    engine.measure(.teachers, values: 3 * teacher.weightCount) {
      for (t, s) in zip(teacher.parameters, student.parameters) {
        engine.rows(over: t.tensor, s.tensor, count: t.tensor.count, cost: 1) { t, s, range in
          let i = range.lowerBound
          pmae_lerp(t.pointer + i, s.pointer + i, range.count, Float(1 - momentum))
        }
      }
    }
  }

  /// Rows of the decoder's sequences [B·(1 + N)] whose prediction is used: the class tokens, then `count` masked patches an
  /// image in the permutation's order.
  func maskedRows(_ masks: Masks, _ count: Int, classTokens: Bool) -> [Int32] {
    let stride = Int32(1 + masks.patches)
    let tokens = classTokens ? (0..<Int32(masks.sequences)).map { $0 * stride } : []
    return tokens
      + masks.masked(count).enumerated().map { i, patch in Int32(i / count) * stride + 1 + patch }
  }

  /// Rows of class tokens and of patches in sequences of one class token and some patches each.
  func foldRows(_ rows: Int, _ sequences: Int) -> (classTokens: [Int32], patches: [Int32]) {
    let tokens = rows / sequences
    return (
      (0..<sequences).map { Int32($0 * tokens) }, (0..<Int32(rows)).filter { Int($0) % tokens != 0 }
    )
  }
}
