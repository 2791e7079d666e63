import CommandLineKit
import Compute
import Evaluation
import Networks
import Report
import Runs
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
  /// The page; nil for none.
  let page: Page?

  /// A page of HTML.
  struct Page {
    let file: TextFile
    /// The run that the model is from; nil where none is named.
    let run: RunMetrics?
    let metadata: (model: [String: String], views: [String: String])
  }

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
      guard let found else {
        page?.file.cancel()
        Interruption.exitAsSignal()
      }
      try views.batches.finish()
      progress.finish()
      scores = found
    }
    let figures = SetFigures(
      scores, bootstrap: bootstrap, isDetailed: isDetailed || page != nil, threads: engine.threads)
    try page.map { try write($0, figures, images: scores.images) }
    var line = try head(part: nil)
    line.add("images", scores.images)
    line.add("classes", classifier.classes)
    for figure in figures.whole { line.add(figure) }
    try line.write()
    guard isDetailed else { return }
    for row in figures.classes {
      var line = try head(part: "class")
      line.add("label", row.label)
      try line.add("class", name(row.label))
      line.add("images", row.images)
      line.add("predicted", row.predicted)
      for figure in row.figures { line.add(figure) }
      try StandardOutput.write(line.text + "\n")
    }
  }

  private func name(_ label: Int) -> String { ClassNames.text(Int32(label), in: sets.names) ?? String(label) }

  private func write(_ page: Page, _ figures: SetFigures, images: Int) throws {
    var report = Report(title: "\(names.model) on \(names.views)", about: "pmae-evaluate classify, pmae \(pmaeVersion)")
    report.add(
      figures: figures.whole, level: bootstrap.level,
      facts: [
        ("model", names.model), ("views", names.views), ("images", "\(images)"), ("classes", "\(classifier.classes)"),
      ], loss: "binary cross-entropy")
    report.add(sets: figures, name: name)
    if let run = page.run { report.add(curvesOf: run) }
    report.addLineage(
      command: [toolName] + CommandLine.arguments.dropFirst(),
      inputs: [(names.model, page.metadata.model), (names.views, page.metadata.views)])
    try page.file.write(report.text)
    try page.file.finish()
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
