import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import Training

extension Classification {
  /// The loss, its labels not smoothed, and of single classes the accuracy.
  public func heldOut(_ path: String, beside views: LabelledViews, engine: Engine) throws -> () throws -> [Figure] {
    let (encoder, normalisation) = (encoder.configuration, views.normalisation)
    let (classes, names) = (classifier.classes, views.sets?.names)
    func open() throws -> (views: LabelledViews, sets: LabelSets?) {
      let reader = try heldOutViews(path)
      let held = try LabelledViews(
        reader, preferred: ["center", "simple"], encoder: encoder, normalisation: normalisation,
        labels: .classesOrSets(below: classes))
      let trained = views.batches.reader.name
      if (held.sets == nil) != (names == nil) {
        let kind = held.sets == nil ? "a class each" : "sets of classes"
        throw Failure(.data, "\(reader.name): its labels are \(kind), unlike those of \(trained)")
      }
      let sets = try held.sets?.placed(among: names, of: trained, source: reader.name)
      if names == nil {
        try requireSameClasses(
          views.batches.header.classes, of: trained, held.batches.header.classes, of: reader.name)
      }
      try held.batches.requireOneEpoch()
      return (held, sets)
    }
    _ = try open()
    var plain = options
    plain.labelSmoothing = 0
    return { [self, plain] in
      let (held, sets) = try engine.ranks.agree(open)
      let count = held.batches.rowsPerEpoch
      let chunk = 64
      let found = try engine.ranks.shareOut((count + chunk - 1) / chunk, values: 2) { number in
        try held.batches.skip(number * chunk - held.batches.position)
        let batch = try take(min(chunk, count - number * chunk), from: held, sets: sets)
        let tape = Tape(engine, recording: false)
        let terms = classificationLoss(
          tape, classifier(tape, batch.images, keeps: nil), batch.targets, options: plain)
        let images = Double(batch.images.count)
        return [images * terms.losses.loss, images * (terms.shown.first?.value ?? 0)]
      }
      let (loss, correct) = (found.reduce(0) { $0 + $1[0] }, found.reduce(0) { $0 + $1[1] })
      let hasAccuracy = sets == nil
      return [Figure("validation_loss", loss / Double(count))]
        + (hasAccuracy ? [Figure("validation_accuracy", correct / Double(count))] : [])
    }
  }
}
