import CommandLineKit
import Compute
import Evaluation
import Networks
import Schemas
import TensorStream
import Training

/// `classify` on views whose labels are sets of classes.
struct ClassifySets {
  /// With classes at the model's places.
  let sets: LabelSets
  let classifier: Classifier
  let engine: Engine
  let bootstrap: Bootstrap
  /// Of the model's file and of the views.
  let names: (model: String, views: String)
  /// Whether there is a line for each class.
  let isDetailed: Bool
  let quiet: Bool

  /// - Throws: `Failure(.data)` where the model has fewer classes than the sets, and as views do.
  func run(on views: LabelledViews, count: Int) throws {
    if sets.names.count > classifier.classes {
      throw Failure(
        .data,
        "\(names.views): has \(sets.names.count) classes, but \(names.model) tells \(classifier.classes) apart")
    }
    var scores = SetScores(classes: classifier.classes)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: quiet)
      let found = try setScores(of: classifier, on: views, count: count, members: sets.members, engine: engine) {
        progress.update($0)
        return Interruption.requested
      }
      guard let found else { Interruption.exitAsSignal() }
      try views.batches.finish()
      progress.finish()
      scores = found
    }
    let figures = SetFigures(scores, bootstrap: bootstrap, isDetailed: isDetailed, threads: engine.threads)
    var line = try head(part: nil)
    line.add("images", scores.images)
    line.add("classes", classifier.classes)
    for figure in figures.whole { line.add(figure) }
    try line.write()
    guard isDetailed else { return }
    for row in figures.classes {
      var line = try head(part: "class")
      line.add("label", row.label)
      try line.add("class", ClassNames.text(Int32(row.label), in: sets.names) ?? String(row.label))
      line.add("images", row.images)
      line.add("predicted", row.predicted)
      for figure in row.figures { line.add(figure) }
      try StandardOutput.write(line.text + "\n")
    }
  }

  private func head(part: String?) throws -> JSONLine {
    var line = JSONLine()
    try line.add("task", "classify")
    if let part { try line.add("part", part) }
    try line.add("model", names.model)
    try line.add("views", names.views)
    return line
  }
}
