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

  @Argument(help: "A model that pmae-finetune wrote, or a classifier of timm's.", completion: .file())
  var model: String

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func execute() throws {
    let loaded = try LoadedClassifier(model, pooling: pooling, input: input, quiet: quiet)
    let (file, classifier, engine) = (loaded.file, loaded.classifier, loaded.engine)
    let (views, count) = try input.views(self.views, for: file, labels: .below(classifier.classes))
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

    var line = JSONLine()
    try line.add("task", "classify")
    try line.add("model", file.source)
    try line.add("views", reader.name)
    line.add("images", score.images)
    line.add("classes", classifier.classes)
    line.add("top1", score.top1)
    line.add("top5", score.top5)
    line.add("loss", score.loss)
    try line.write()
  }
}
