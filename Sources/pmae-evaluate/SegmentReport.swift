import CommandLineKit
import Evaluation
import Report
import Schemas
import TensorStream

/// The page of `segment --report`.
struct SegmentReport {
  let figures: SegmentationFigures
  let worst: [WorstPictures.Entry]
  let level: Double
  let images: Int
  let classes: MaskClasses
  let model: (name: String, metadata: [String: String])
  let views: (name: String, metadata: [String: String])

  func text() throws -> String {
    var report = Report(title: "\(model.name) on \(views.name)", about: "pmae-evaluate segment, pmae \(pmaeVersion)")
    report.add(
      figures: figures.whole, level: level,
      facts: [("model", model.name), ("views", views.name), ("images", "\(images)"), ("classes", "\(classes.count)")])
    report.add(classes: figures, names: classes)
    report.add(confusion: figures, names: classes)
    try report.add(worst: worst, names: classes)
    report.addLineage(command: [toolName] + CommandLine.arguments.dropFirst(), inputs: [model, views])
    return report.text
  }
}
