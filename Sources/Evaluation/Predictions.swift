import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import Training

/// What a classifier says of some images, and what is known of them.
public struct Predictions: Sendable {
  /// k, how many classes each image has.
  public let top: Int
  public private(set) var rows: [Prediction] = []
  /// Each image's number in the set that it is from.
  public private(set) var index: [Int64] = []
  /// A label each, below 0 where it is not known; empty where there are none.
  public private(set) var labels: [Int32] = []
  /// The file of each image; nil where none has a name.
  public private(set) var names: RowNames?

  /// The next `count` rows of some views.
  /// - Parameters:
  ///   - top: 1 to the classifier's classes.
  ///   - isSigmoid: whether each class has a probability of its own.
  ///   - onChunk: called with how many are done; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` as the views do, and where a logit is not finite.
  public init?(
    of classifier: Classifier, on views: LabelledViews, count: Int, top: Int, isSigmoid: Bool = false, engine: Engine,
    onChunk: (Int) -> Bool = { _ in false }
  ) throws {
    self.top = top
    while rows.count < count {
      let batch = try views.take(min(FeatureExtractor.chunk, count - rows.count))
      let logits = classifier(Tape(engine, recording: false), batch.images)
      try requireFinite(logits, "logit", of: batch)
      names.append(0..<logits.rows, of: batch.names, after: rows.count)
      for row in 0..<logits.rows {
        rows.append(Prediction(logits: logits.values(ofRow: row), top: top, isSigmoid: isSigmoid))
      }
      labels += batch.labels
      index += batch.index
      if onChunk(rows.count) { return nil }
    }
  }

  /// A data record of a `predictions` stream.
  public var tensors: [NamedTensor] {
    let shape = [rows.count, top]
    var tensors: [NamedTensor] = [
      (PredictionTensors.prediction, StoredTensor(rows.flatMap(\.classes), shape: shape)),
      (PredictionTensors.probability, StoredTensor(rows.flatMap { $0.probabilities.map { Float($0) } }, shape: shape)),
      (ViewTensors.index, StoredTensor(index, shape: [rows.count])),
    ]
    if !labels.isEmpty { tensors.append((Targets.label, StoredTensor(labels, shape: [rows.count]))) }
    return tensors + (names?.tensors ?? [])
  }

  // MARK: As a table

  /// The names of the columns, tabs between, and a line's end.
  public static func heading(top: Int) -> String {
    let more = top > 1 ? (2...top).map { "\tclass_\($0)\tprobability_\($0)" }.joined() : ""
    return "index\tname\tlabel\tclass\tprobability\(more)\n"
  }

  /// A line a row, tabs between. What is not known is `-`; probabilities have nine digits.
  /// - Parameter classes: names of classes; a class without one is its number.
  public func lines(classes: [String]?) -> String {
    rows.indices.map { row in
      let label = labels.isEmpty ? nil : ClassNames.text(labels[row], in: classes)
      var cells = [String(index[row]), names?.known(row) ?? "-", label ?? "-"]
      for (label, probability) in zip(rows[row].classes, rows[row].probabilities) {
        cells += [ClassNames.text(label, in: classes) ?? "-", JSONLine.number(probability)]
      }
      return cells.map { printable($0) }.joined(separator: "\t") + "\n"
    }.joined()
  }
}
