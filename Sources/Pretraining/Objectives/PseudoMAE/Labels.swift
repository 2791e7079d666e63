import Autodiff
import CKernels
import Compute
import Networks

/// What the labelling teacher says of some images (§3.3). B images, K folds of F patches, C prototypes.
public struct PseudoLabels {
  /// [B, C]
  public let classes: Tensor
  /// [B·K·F, C]
  public let patches: Tensor
  /// The teacher's tokens that these are the labels of [B·K·F, D], for a student's patch to find the nearest.
  let tokens: Tensor
}

/// For each masked patch of the student the teacher token of the same image with the highest cosine similarity (§3.3):
/// student [B·M, D], teacher [B·M', D] -> row numbers of the teacher [B·M]. Without gradient.
func nearest(_ student: Tensor, in teacher: Tensor, sequences: Int, engine: Engine) -> [Int32] {
  let width = student.columns
  let (m, t) = (student.rows / sequences, teacher.rows / sequences)
  var match = [Int32](repeating: 0, count: student.rows)
  match.withUnsafeMutableBufferPointer { match in
    let match = match
    let packing = engine.scratch(inner: width, columns: t)
    withMatrices(student, teacher) { student, teacher in
      engine.measure(.labels, flop: 2 * student.rows * width * t, values: (student.rows + teacher.rows) * width) {
        engine.run(sequences, scratch: t * width + m * t + packing) { s, scratch in
          // The student's own length changes no comparison.
          let unit = Matrix(scratch, rows: t, columns: width)
          for j in 0..<t { _ = pmae_normalise(teacher.row(s * t + j), unit.row(j), width, 1e-12) }
          let similarity = Matrix(scratch + t * width, rows: m, columns: t)
          engine.multiplyHere(
            student.rows(s * m..<(s + 1) * m), unit, into: similarity, transposing: .right,
            scratch: scratch + t * width + m * t)
          for i in 0..<m { match[s * m + i] = Int32(s * t + pmae_argmax(similarity.row(i), t)) }
        }
      }
    }
  }
  return match
}

/// The mean of K consecutive rows: labels of an image's folds [B·K, C] -> [B, C] (§3.3).
func meanOfFolds(_ labels: Tensor, folds: Int, engine: Engine) -> Tensor {
  let width = labels.columns
  let mean = Tensor(rows: labels.rows / folds, columns: width, values: engine.memory.take(labels.rows / folds * width))
  engine.rows(over: mean, labels, cost: folds * width) { mean, labels, range in
    for b in range {
      mean.row(b).update(repeating: 0, count: width)
      for k in 0..<folds { pmae_axpy(1 / Float(folds), labels.row(b * folds + k), mean.row(b), width) }
    }
  }
  return mean
}

extension PseudoMAE {
  /// §3.3: the labelling teacher's Sinkhorn assignments of the complex view's masked patches, in K folds, over the rows of
  /// all parts of a batch, and how they are. nil for each part where no label is wanted.
  public func labels(
    of batch: [PseudoMAEImages], schedule: LabelSchedule
  ) -> (labels: [PseudoLabels?], health: LabelHealth?) {
    let folds = options.labelFolds
    let views = batch.compactMap(\.complex)
    if views.count < batch.count { return (batch.map { _ in nil }, nil) }
    let given = zip(batch, views).map { images, complex in
      let tape = Tape(engine, recording: false)
      let masks = images.masks
      let tokens = labellingTeacher(tape, complex, ids: masks.folded(folds), sequencesPerImage: folds)
      let patches = tape.gatherRows(tokens, masks.patchRows(tokens: tokens.rows, folds: folds))
      let classTokens = tape.gatherRows(tokens, masks.classRows(tokens: tokens.rows, folds: folds))
      return PseudoLabels(
        classes: labellingHead(tape, classTokens, .classToken), patches: labellingHead(tape, patches, .patch),
        tokens: patches)
    }
    // What is given are logits: labels take their place in memory.
    let values = given.reduce(0) { $0 + 3 * ($1.classes.count + $1.patches.count) }
    let health = engine.measure(.labels, values: values) {
      let (classes, patches) = (given.map(\.classes), given.map(\.patches))
      for rows in [classes, patches] {
        sinkhorn(
          rows, temperature: schedule.teacherTemperature, iterations: options.sinkhornIterations, engine: engine)
      }
      return LabelHealth(classes: classes, patches: patches, engine: engine)
    }
    let labels = given.map {
      PseudoLabels(
        classes: meanOfFolds($0.classes, folds: folds, engine: engine), patches: $0.patches, tokens: $0.tokens)
    }
    return (labels, health)
  }

  /// Which row of the labels each of the student's masked patches takes (nil: the row of its own number), and the mean cosine to the
  /// teacher's tokens of these rows.
  func match(_ patches: Tensor, _ labels: PseudoLabels, sequences: Int) -> (rowOf: [Int32]?, cosine: Double) {
    let rowOf =
      options.match == .nearest ? nearest(patches, in: labels.tokens, sequences: sequences, engine: engine) : nil
    let cosine = engine.measure(.labels, values: 2 * patches.count) {
      meanCosine(patches, labels.tokens, rowOf: rowOf, engine: engine)
    }
    return (rowOf, cosine)
  }

  /// Which patch's token of the complex view each masked patch is matched to (§3.3): [B·M'], in the order of the masks. nil where no
  /// label is made. Drop path is off, so that the answer depends on the images alone.
  public func matches(of images: PseudoMAEImages) -> [Int32]? {
    guard let complex = images.complex else { return nil }
    let (masks, folds) = (images.masks, options.labelFolds)
    let patches = masks.folded(folds)
    if options.match == .position { return patches }
    let tape = Tape(engine, recording: false)
    let wanted = masks.predicted(masks.foldedCount(folds), classTokens: false)
    let out = decoder(tape, student(tape, images.simple, ids: masks.visible), masks, wanted: wanted)
    let tokens = labellingTeacher(tape, complex, ids: patches, sequencesPerImage: folds)
    let teacher = tape.gatherRows(tokens, masks.patchRows(tokens: tokens.rows, folds: folds))
    // Row r of the teacher's is its token of the r-th patch in the folds.
    return nearest(out, in: teacher, sequences: masks.sequences, engine: engine).map { patches[Int($0)] }
  }
}
