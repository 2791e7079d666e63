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

/// The scores of a classifier of sets of classes on the next `count` rows.
/// - Parameters:
///   - members: for each label the classes that it stands for.
///   - onChunk: called with how many are done; returning true gives up: the result is nil.
/// - Throws: `Failure(.data)` as the views do, and where a logit is not finite.
public func setScores(
  of classifier: Classifier, on views: LabelledViews, count: Int, members: [[Int]], engine: Engine,
  onChunk: (Int) -> Bool = { _ in false }
) throws -> SetScores? {
  var scores = SetScores(classes: classifier.classes)
  while scores.images < count {
    let batch = try views.take(min(FeatureExtractor.chunk, count - scores.images))
    let logits = classifier(Tape(engine, recording: false), batch.images)
    try requireFinite(logits, "logit", of: batch)
    for (row, label) in batch.labels.enumerated() {
      scores.add(logits.values(ofRow: row), members: members[Int(label)])
    }
    if onChunk(scores.images) { return nil }
  }
  return scores
}
