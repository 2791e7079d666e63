import Autodiff
import Compute
import Networks
import TensorStream
import Training

/// Scores a classifier on the next `count` labelled rows.
/// - Parameter onChunk: called with how many are done; returning true gives up: the result is nil.
/// - Throws: `Failure(.data)` as the views do, and where a logit is not finite.
public func classificationScore(
  of classifier: Classifier, on views: LabelledViews, count: Int, engine: Engine,
  onChunk: (Int) -> Bool = { _ in false }
) throws -> ClassificationScore? {
  var score = ClassificationScore()
  while score.images < count {
    let batch = try views.take(min(FeatureExtractor.chunk, count - score.images))
    let logits = classifier(Tape(engine, recording: false), batch.images)
    try requireFinite(logits, "logit", of: batch)
    for (row, label) in batch.labels.enumerated() {
      score.add(UnsafeBufferPointer(start: logits.row(row), count: logits.columns), label: Int(label))
    }
    if onChunk(score.images) { return nil }
  }
  return score
}
