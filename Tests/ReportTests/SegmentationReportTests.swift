import Evaluation
import Foundation
import Imaging
import Parallel
import Report
import Schemas
import TensorStream
import Testing
import Training

@Suite struct SegmentationReportTests {
  /// Three pictures of 4 × 6: all right, half right, and none of it right.
  private func found() -> (score: SegmentationScore, worst: WorstPictures) {
    var (score, worst) = (SegmentationScore(classes: 3), WorstPictures(most: 2))
    let labels = (0..<24).map { UInt8($0 % 6 < 3 ? 0 : 1) }
    for (index, predicted) in [labels, [UInt8](repeating: 1, count: 24), labels.map { 1 - $0 }].enumerated() {
      var counts = SegmentationCounts(classes: 3)
      counts.add(predicted: predicted, labels: labels)
      score.add(counts)
      worst.add(
        index: Int64(index), name: index == 2 ? "<b>c.jpg" : nil, view: ([UInt8](repeating: 80, count: 72), 4, 6, 3),
        predicted: predicted, labels: labels, size: (4, 6), counts: counts)
    }
    return (score, worst)
  }

  @Test func thePageHasFiguresClassesAndTheWorstPictures() throws {
    let (score, worst) = found()
    let classes = MaskClasses(names: ["sky & air", "grass", "nowhere"])
    let figures = SegmentationFigures(
      score, bootstrap: Bootstrap(resamples: 50), isDetailed: true, threads: ThreadPool(threads: 1))
    var report = Report(title: "a model", about: "a test")
    report.add(figures: figures.whole, level: 0.95)
    report.add(classes: figures, names: classes)
    report.add(confusion: figures, names: classes)
    try report.add(worst: worst.entries, names: classes)
    let page = report.text
    // 24 + 12 + 0 of 72 pixels.
    for text in [
      "mean intersection over union (mIoU)", "accuracy of all pixels (aAcc)", ">0.5<", "sky &amp; air",
      "Worst pictures",
      "&lt;b&gt;c.jpg", "0.0 % of its pixels are right", "50.0 % of its pixels are right",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(!page.contains("nowhere") && !page.contains("<b>c.jpg"))
    // A picture, its labels and what was said, of the two worst.
    #expect(page.components(separatedBy: "<img ").count == 1 + 6)
  }

  /// Class colours lie over the picture, borders between classes are dark, and pixels without a class stay as they are.
  @Test func overlaysShowClasses() {
    let picture = Picture(height: 1, width: 4, channels: 1, pixels: [100, 100, 100, 100])
    let classes = MaskClasses(names: ["a", "b"], colours: [[200, 0, 0], [0, 0, 200]])
    let over = picture.overlaid([0, 0, 255, 255], classes, opacity: 0.5)
    #expect(Array(over.pixels[0..<3]) == [150, 50, 50])
    #expect(Array(over.pixels[3..<6]) == [50, 50, 50])
    #expect(Array(over.pixels[6..<12]) == [100, 100, 100, 100, 100, 100])
    #expect(
      picture.overlaid([1, 1, 1, 1], classes, opacity: 1).pixels == [0, 0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 200])
  }

  /// Files of ids are read back as they were, grey and with the classes' colours.
  @Test func mapsAreReadBack() throws {
    let classes = MaskClasses(names: ["a", "b", "c"])
    let ids: [UInt8] = [0, 1, 2, 2, 1, 255]
    for palette in [nil, classes.palette] {
      let read = try PNG.ids(
        try PNG.encode(ids: ids, height: 2, width: 3, palette: palette), classes: classes, name: "ids.png")
      #expect(read.height == 2 && read.width == 3 && read.pixels == ids)
    }
    let few = MaskClasses(names: ["a", "b"])
    let failure = #expect(throws: Failure.self) {
      try PNG.ids(try PNG.encode(ids: ids, height: 2, width: 3), classes: few, name: "ids.png")
    }
    #expect(failure?.message == "ids.png: class 2 at row 0, column 2: expected 0 to 1, or 255 for none")
  }
}
