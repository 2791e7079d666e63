import CommandLineKit
import Evaluation
import Imaging
import Report
import Runs
import Schemas
import TensorStream

/// The page of `classify --report`.
struct ClassifyReport {
  let figures: ClassificationFigures
  let mistakes: [ConfidentMistakes.Mistake]
  let looked: LookedImages
  let looks: [LookedImages.Look]
  /// The run that the model is from; nil where none is named.
  let run: RunMetrics?
  let level: Double
  let images: Int
  let classes: Int
  let model: (name: String, metadata: [String: String])
  let views: (name: String, metadata: [String: String])
  /// What a class is called.
  let name: (Int) -> String

  func text() throws -> String {
    var report = Report(title: "\(model.name) on \(views.name)", about: "pmae-evaluate classify, pmae \(pmaeVersion)")
    report.add(
      figures: figures.whole, level: level,
      facts: [("model", model.name), ("views", views.name), ("images", "\(images)"), ("classes", "\(classes)")])
    report.add(reliability: figures)
    report.add(confusion: figures, name: name)
    report.add(classes: figures, name: name)
    try report.add(
      pictures: mistakes.map { mistake in
        let verdict = mistake.verdict
        let sure = String(Double(Int(verdict.confidence * 1000 + 0.5)) / 10)
        return ReportPicture(
          Picture(
            height: mistake.side, width: mistake.side, channels: mistake.channels, pixels: mistake.pixels),
          name: mistake.name ?? "image \(mistake.index)",
          lines: ["is \(name(Int(verdict.label)))", "said: \(name(Int(verdict.predicted))), \(sure) %"], isWrong: true)
      },
      title: "Most confident mistakes",
      about: mistakes.isEmpty ? "There is no mistake." : "The surest first. Labels may be wrong, too.")
    try report.add(looked: looked, looks: looks, name: name)
    if let run { report.add(curvesOf: run) }
    report.addLineage(command: [toolName] + CommandLine.arguments.dropFirst(), inputs: [model, views])
    return report.text
  }
}
