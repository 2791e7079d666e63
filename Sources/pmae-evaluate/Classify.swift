import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Networks
import Schemas
import TensorStream
import Training

/// `pmae-evaluate classify`: a model's top-1 and top-5 accuracy and loss.
struct Classify: Tool {
  static let configuration = CommandConfiguration(
    abstract: "A model's accuracy and loss on labelled views.")

  @Argument(help: "A model that pmae-finetune wrote.", completion: .file())
  var model: String

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @OptionGroup var input: InputOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func execute() throws {
    let file = try WeightsFile(path: model, heads: input.heads)
    guard let head = file.head else {
      throw Failure(.data, "\(file.source): an encoder without a head: pmae-finetune makes a model of it")
    }
    let engine = input.engine(quiet: quiet)
    let classifier = Classifier(
      Encoder(file.encoder, engine: engine, trained: false), classes: head.classes, pooling: head.pooling,
      engine: engine, trained: false)
    try file.load(into: classifier)
    let (views, count) = try input.views(self.views, for: file, labels: .below(head.classes))
    let reader = views.batches.reader
    try requireSameClasses(file.classNames, of: file.source, views.batches.header.classes, of: reader.name)

    var score = ClassificationScore()
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: quiet)
      let found = try classificationScore(of: classifier, on: views, count: count, engine: engine) { done in
        progress.update(done)
        return Interruption.requested
      }
      guard let found else { Interruption.exitAsSignal() }
      try views.batches.finish()
      progress.finish()
      score = found
    }

    var line = ResultLine()
    try line.add("task", "classify")
    try line.add("model", file.source)
    try line.add("views", reader.name)
    line.add("images", score.images)
    line.add("classes", head.classes)
    line.add("top1", score.top1)
    line.add("top5", score.top5)
    line.add("loss", score.loss)
    try line.write()
  }
}
