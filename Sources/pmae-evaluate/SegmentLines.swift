import CommandLineKit
import Evaluation
import Schemas
import TensorStream

/// What `segment` prints, a line of JSON each: all figures, and of `--also` those of classes and the confusion.
struct SegmentLines {
  let figures: SegmentationFigures
  let classes: MaskClasses
  let images: Int
  let model: String
  let views: String

  private func head(_ part: String?) throws -> JSONLine {
    var line = JSONLine()
    try line.add("task", "segment")
    if let part { try line.add("part", part) }
    try line.add("model", model)
    try line.add("views", views)
    return line
  }

  func writeWhole() throws {
    var line = try head(nil)
    line.add("images", images)
    line.add("classes", classes.count)
    for figure in figures.whole { line.add(figure) }
    try line.write()
  }

  func writeClasses() throws {
    for row in figures.classes {
      var line = try head("class")
      line.add("label", row.label)
      try line.add("class", classes.text(UInt8(row.label)))
      line.add("pixels", row.pixels)
      line.add("predicted", row.predicted)
      for figure in row.figures { line.add(figure) }
      try line.write()
    }
  }

  func writeConfusion() throws {
    for row in figures.confusion {
      var line = try head("confusion")
      try line.add("class", classes.text(UInt8(row.label)))
      try line.add("predicted", classes.text(UInt8(row.predicted)))
      line.add("pixels", row.pixels)
      try line.write()
    }
  }
}
