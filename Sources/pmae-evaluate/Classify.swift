import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Networks
import Runs
import Schemas
import TensorStream
import Training

/// `pmae-evaluate classify`: how good a model is.
struct Classify: Tool {
  static let configuration = CommandConfiguration(
    abstract: "A model's accuracy, loss and calibration on labelled views.")

  /// What else is printed.
  enum Detail: String, CaseIterable {
    case classes, bins, confusion
  }

  @Argument(help: "A model that pmae-finetune wrote, or a classifier of timm's.", completion: .file())
  var model: String

  @Argument(help: "The labelled views; - is standard input.", completion: .file())
  var views = "-"

  @Option(
    help: ArgumentHelp(
      "More lines, with commas between: classes, bins of confidence, confusion of two classes.", valueName: "list"))
  var also: String?

  @Option(
    help: ArgumentHelp(
      "With --report: the folder of the run that the model is from, whose curves are shown.", valueName: "folder"))
  var run: String?

  @OptionGroup var page: ReportOptions
  @OptionGroup var intervals: IntervalOptions
  @OptionGroup var pooling: PoolingOptions
  @OptionGroup var input: InputOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    _ = try details()
    if run != nil && page.report == nil { throw ValidationError("--run is of the page, which --report names") }
    if page.overwrite && page.report == nil {
      throw ValidationError("--overwrite is of the page, which --report names")
    }
  }

  private func details() throws -> Set<Detail> {
    Set(
      try (also?.split(separator: ",", omittingEmptySubsequences: false) ?? []).map { part in
        guard let detail = Detail(rawValue: String(part)) else {
          throw ValidationError("--also is \(also ?? ""): expected classes, bins and confusion, with commas between")
        }
        return detail
      })
  }

  mutating func execute() throws {
    let report = try page.file()
    do {
      try classify(report)
    } catch {
      report?.cancel()
      throw error
    }
  }

  private func classify(_ report: TextFile?) throws {
    let details = try details()
    let run = try run.map { try RunMetrics($0) }
    let loaded = try LoadedClassifier(model, pooling: pooling, input: input, quiet: quiet)
    let (file, classifier, engine) = (loaded.file, loaded.classifier, loaded.engine)
    let (views, count) = try input.views(self.views, for: file, labels: .classesOrSets(below: classifier.classes))
    let reader = views.batches.reader
    if let sets = views.sets {
      if !details.isSubset(of: [.classes]) {
        throw Failure(
          .usage, "\(reader.name): its labels are sets of classes: --also bins,confusion need one class a row")
      }
      let placed = try sets.placed(among: file.classNames, of: file.source, source: reader.name)
      return try ClassifySets(
        sets: placed, classifier: classifier, engine: engine, bootstrap: intervals.bootstrap,
        names: (file.source, reader.name), isDetailed: !details.isEmpty, quiet: quiet,
        page: report.map {
          .init(file: $0, run: run, metadata: (file.record.metadata, reader.header.metadata))
        }
      ).run(on: views, count: count)
    }
    try requireSameClasses(file.classNames, of: file.source, views.batches.header.classes, of: reader.name)
    let names = ClassNames.merged(file.classNames, views.batches.header.classes)

    var score = ClassificationScore()
    var mistakes = ConfidentMistakes(most: report == nil ? 0 : 48)
    var looked = LookedImages(of: count, most: report == nil ? 0 : 8)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: quiet)
      let found = try classificationScore(of: classifier, on: views, count: count, engine: engine) {
        if report != nil {
          mistakes.add($0, $1)
          looked.add($0, $1)
        }
      } onChunk: { done in
        progress.update(done)
        return Interruption.requested
      }
      guard let found else {
        report?.cancel()
        Interruption.exitAsSignal()
      }
      try views.batches.finish()
      progress.finish()
      score = found
    }

    let figures = ClassificationFigures(
      score.verdicts, classes: classifier.classes, bootstrap: intervals.bootstrap,
      isDetailed: !details.isEmpty || report != nil,
      threads: engine.threads)
    if let report {
      let page = ClassifyReport(
        figures: figures, mistakes: mistakes.mistakes, looked: looked,
        looks: looked.looks(by: classifier.encoder, normalisation: views.normalisation, engine: engine), run: run,
        level: intervals.bootstrap.level, images: score.images,
        classes: classifier.classes, model: (file.source, file.record.metadata),
        views: (reader.name, reader.header.metadata),
        name: { ClassNames.text(Int32($0), in: names) ?? String($0) })
      try report.write(page.text())
      try report.finish()
    }
    var line = try head(file.source, reader.name, part: nil)
    line.add("images", score.images)
    line.add("classes", classifier.classes)
    for figure in figures.whole { line.add(figure) }
    try line.write()
    try write(figures, details, names: names, head: { try head(file.source, reader.name, part: $0) })
  }

  private func head(_ model: String, _ views: String, part: String?) throws -> JSONLine {
    var line = JSONLine()
    try line.add("task", "classify")
    if let part { try line.add("part", part) }
    try line.add("model", model)
    try line.add("views", views)
    return line
  }

  private func write(
    _ figures: ClassificationFigures, _ details: Set<Detail>, names: [String]?, head: (String) throws -> JSONLine
  ) throws {
    func name(_ label: Int) -> String { ClassNames.text(Int32(label), in: names) ?? String(label) }
    if details.contains(.classes) {
      for row in figures.classes {
        var line = try head("class")
        line.add("label", row.label)
        try line.add("class", name(row.label))
        line.add("images", row.images)
        line.add("predicted", row.predicted)
        for figure in row.figures { line.add(figure) }
        try StandardOutput.write(line.text + "\n")
      }
    }
    if details.contains(.bins) {
      for row in figures.bins {
        var line = try head("bin")
        line.add("from", row.range.lowerBound)
        line.add("to", row.range.upperBound)
        line.add("images", row.images)
        line.add("confidence", row.confidence)
        line.add(row.accuracy)
        try StandardOutput.write(line.text + "\n")
      }
    }
    if details.contains(.confusion) {
      for row in figures.confusion {
        var line = try head("confusion")
        try line.add("class", name(row.label))
        try line.add("predicted", name(row.predicted))
        line.add("images", row.images)
        try StandardOutput.write(line.text + "\n")
      }
    }
  }
}
