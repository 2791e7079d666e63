import Autodiff
import Compute
import Networks
import TensorStream
import Training

/// Scores a classifier on the next `count` labelled rows.
/// - Parameters:
///   - onBatch: called with some images, and what was said of each.
///   - onChunk: called with how many are done; returning true gives up: the result is nil.
/// - Throws: `Failure(.data)` as the views do, and where a logit is not finite.
public func classificationScore(
  of classifier: Classifier, on views: LabelledViews, count: Int, engine: Engine,
  onBatch: (LabelledViews.Batch, ArraySlice<Verdict>) -> Void = { _, _ in }, onChunk: (Int) -> Bool = { _ in false }
) throws -> ClassificationScore? {
  var score = ClassificationScore()
  while score.images < count {
    let batch = try views.take(min(FeatureExtractor.chunk, count - score.images))
    let logits = classifier(Tape(engine, recording: false), batch.images)
    try requireFinite(logits, "logit", of: batch)
    for (row, label) in batch.labels.enumerated() {
      logits.values(ofRow: row).withUnsafeBufferPointer { score.add($0, label: Int(label)) }
    }
    onBatch(batch, score.verdicts.suffix(batch.labels.count))
    if onChunk(score.images) { return nil }
  }
  return score
}
