import ArgumentParser
import CommandLineKit
import Compute
import Evaluation
import Imaging
import Networks
import Schemas
import TensorStream
import Training

/// `pmae-evaluate segment`: how good a model of `pmae-finetune --task segment` is, and what it says of each pixel.
struct Segment: Tool {
  static let configuration = CommandConfiguration(
    abstract: "mIoU and more of a segmentation model on views of pictures with masks, and its predictions.")

  /// What else is printed.
  enum Detail: String, CaseIterable {
    case classes, confusion
  }

  @Argument(help: "A model that pmae-finetune --task segment wrote.", completion: .file())
  var model: String

  @Argument(help: "Views of whole pictures, with masks or without; - is standard input.", completion: .file())
  var views = "-"

  @Option(help: ArgumentHelp("More lines, with commas between: classes, confusion of two classes.", valueName: "list"))
  var also: String?

  @Option(help: ArgumentHelp("Compute windows of this side, in pixels, not whole pictures.", valueName: "pixels"))
  var slide: Int?

  @Option(
    help: ArgumentHelp("Pixels from a window to the next (default: two thirds of a window).", valueName: "pixels"))
  var stride: Int?

  @Option(help: ArgumentHelp("Write a PNG file of class ids for each picture there.", valueName: "folder"))
  var predictions: String?

  @Option(help: ArgumentHelp("Write each view there as a PNG file with the classes' colours.", valueName: "folder"))
  var overlays: String?

  @Option(help: "The recipe among the views (default: their only one).")
  var view: String?

  @OptionGroup var page: ReportOptions
  @OptionGroup var intervals: IntervalOptions

  @Option(help: "What the network's matrices are multiplied in.")
  var precision = PrecisionChoice.float32

  @OptionGroup var threads: ThreadOptions

  @Flag(help: "No progress and no notes; errors alone.")
  var quiet = false

  mutating func validate() throws {
    _ = try details()
    if let reason = precision.unavailable { throw ValidationError(reason) }
    if let slide, !(1...1 << 14).contains(slide) { throw ValidationError("--slide is \(slide): expected 1 to 16384") }
    if let stride {
      guard let slide else { throw ValidationError("--stride needs --slide") }
      if !(1...slide).contains(stride) { throw ValidationError("--stride is \(stride): expected 1 to \(slide)") }
    }
    try requireDistinct([("--predictions", predictions), ("--overlays", overlays), ("--report", page.report)])
    if page.overwrite && page.report == nil && predictions == nil && overlays == nil {
      throw ValidationError("--overwrite is of what --report, --predictions and --overlays name")
    }
  }

  private func details() throws -> Set<Detail> {
    Set(
      try (also?.split(separator: ",", omittingEmptySubsequences: false) ?? []).map { part in
        guard let detail = Detail(rawValue: String(part)) else {
          throw ValidationError("--also is \(also ?? ""): expected classes and confusion, with commas between")
        }
        return detail
      })
  }

  mutating func execute() throws {
    let report = try page.file()
    do {
      try segment(report)
    } catch {
      report?.cancel()
      throw error
    }
  }

  private func segment(_ report: TextFile?) throws {
    let details = try details()
    let file = try SegmenterFile(path: model)
    let engine = Engine(threads: threads.count, precision: precision.precision)
    for text in precision.notes + engine.notes { note(toolName, text, quiet: quiet) }
    let windows = slide.map { PixelPredictor.Windows(side: $0, stride: stride ?? max(1, $0 * 2 / 3)) }
    let predict = PixelPredictor(try file.load(engine: engine), windows: windows, engine: engine)
    let reader = try StreamReader(path: views, kinds: [StreamKind.views.rawValue])
    let views = try MaskedViews(
      reader, view: view, masks: .ofPictures(classes: file.classes), channels: file.encoder.channels,
      normalisation: file.normalisation)
    try requireSameMasks(file.classes, of: file.source, views.classes, of: reader.name)
    try views.batches.requireOneEpoch()
    let ids = try predictions.map { try PictureFolder($0, overwrite: page.overwrite) }
    let colours = try overlays.map { try PictureFolder($0, overwrite: page.overwrite) }
    let count = views.batches.rowsPerEpoch
    var score = SegmentationScore(classes: file.classes.count)
    var worst = WorstPictures(most: report == nil ? 0 : 24)
    try interruptible {
      let progress = Progress(tool: toolName, what: "images", total: count, quiet: quiet)
      for done in 0..<count {
        let place = "\(reader.name): row \(views.batches.position)"
        let batch = try views.take(1)
        let image = batch.images
        guard predict.fits(height: image.height, width: image.width) else {
          throw Failure(
            .data,
            "\(place): a view of \(image.height) × \(image.width), which has more than "
              + "\(grouped(PixelPredictor.mostPatches)) patches: --slide 512 computes it in windows")
        }
        let found = predict(image, height: batch.height, width: batch.width)
        let name = batch.names.map { String(decoding: $0[0], as: UTF8.self) }.flatMap { $0.isEmpty ? nil : $0 }
        if !batch.masks.isEmpty {
          var own = SegmentationCounts(classes: file.classes.count)
          own.add(predicted: found, labels: batch.masks)
          score.add(own)
          worst.add(
            index: batch.index[0], name: name,
            view: (image.pixels, image.height, image.width, image.channels), predicted: found, labels: batch.masks,
            size: (batch.height, batch.width), counts: own)
        }
        try ids?.write(
          PNG.encode(ids: found, height: batch.height, width: batch.width, palette: file.classes.palette),
          index: batch.index[0], name: name)
        if let colours {
          let picture = Picture(
            height: image.height, width: image.width, channels: image.channels, pixels: image.pixels)
          let overlay = picture.nearest(height: batch.height, width: batch.width).overlaid(found, file.classes)
          try colours.write(overlay.png(), index: batch.index[0], name: name)
        }
        progress.update(done + 1)
        if Interruption.requested {
          report?.cancel()
          Interruption.exitAsSignal()
        }
      }
      try views.batches.finish()
      progress.finish()
    }
    if score.pictures.isEmpty {
      if report != nil || !details.isEmpty || (ids == nil && colours == nil) {
        throw Failure(.data, "\(reader.name): no masks to measure by: --predictions and --overlays alone need none")
      }
      report?.cancel()
      return
    }
    let figures = SegmentationFigures(
      score, bootstrap: intervals.bootstrap, isDetailed: !details.isEmpty || report != nil, threads: engine.threads)
    if let report {
      let page = SegmentReport(
        figures: figures, worst: worst.entries, level: intervals.bootstrap.level, images: score.pictures.count,
        classes: file.classes, model: (file.source, file.record.metadata),
        views: (reader.name, reader.header.metadata))
      try report.write(page.text())
      try report.finish()
    }
    let lines = SegmentLines(
      figures: figures, classes: file.classes, images: score.pictures.count, model: file.source, views: reader.name)
    try lines.writeWhole()
    if details.contains(.classes) { try lines.writeClasses() }
    if details.contains(.confusion) { try lines.writeConfusion() }
  }
}
