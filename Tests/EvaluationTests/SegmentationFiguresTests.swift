import Evaluation
import Foundation
import Parallel
import Testing
import Training

/// Figures of maps of class ids, against scikit-learn's (Tests/Fixtures/measures/make.py).
@Suite struct SegmentationFiguresTests {
  private func score() throws -> (score: SegmentationScore, fixture: MeasureFixture) {
    let fixture = try MeasureFixture("segment")
    let (labels, predicted) = (try fixture.bytes("label"), try fixture.bytes("predicted"))
    var score = SegmentationScore(classes: 7)
    var start = 0
    for count in try fixture.integers("pixels") {
      let end = start + Int(count)
      score.add(predicted: Array(predicted[start..<end]), labels: Array(labels[start..<end]))
      start = end
    }
    #expect(start == labels.count)
    return (score, fixture)
  }

  @Test func agreesWithScikitLearn() throws {
    let (score, fixture) = try score()
    let figures = SegmentationFigures(
      score, bootstrap: Bootstrap(resamples: 0), isDetailed: true, threads: ThreadPool(threads: 1))
    #expect(figures.whole.map(\.name) == ["mIoU", "mAcc", "aAcc"])
    for (figure, theirs) in zip(figures.whole, try fixture.doubles("whole")) {
      #expect(abs(figure.value - theirs) < 1e-12, "\(figure.name)")
      #expect(figure.interval == nil)
    }
    #expect(score.counts.meanIoU == figures.whole[0].value)
    for (name, theirs) in [("iou", try fixture.doubles("iou")), ("accuracy", try fixture.doubles("accuracy"))] {
      for label in 0..<7 {
        let row = figures.classes.first { $0.label == label }
        let own = row?.figures.first { $0.name == name }
        #expect((own == nil) == theirs[label].isNaN, "\(name) of \(label)")
        if let own { #expect(abs(own.value - theirs[label]) < 1e-12, "\(name) of \(label)") }
      }
    }
    let matrix = try fixture.integers("confusion")
    #expect(score.counts.confusion.map { Int64($0) } == matrix)
    #expect(figures.confusion.reduce(0) { $0 + $1.pixels } == Int(matrix.reduce(0, +)))
    for cell in figures.confusion { #expect(matrix[cell.label * 7 + cell.predicted] == Int64(cell.pixels)) }
    #expect(!figures.classes.contains { $0.label == 3 })
  }

  /// Resamples draw pictures: intervals hold the figure, and are the same bits for any threads.
  @Test func intervalsAreOverPictures() throws {
    let (score, _) = try score()
    func figures(_ threads: Int) -> SegmentationFigures {
      SegmentationFigures(
        score, bootstrap: Bootstrap(resamples: 400, seed: 3), isDetailed: true, threads: ThreadPool(threads: threads))
    }
    let (one, three) = (figures(1), figures(3))
    #expect(one.whole == three.whole && one.classes.map(\.figures) == three.classes.map(\.figures))
    for figure in one.whole {
      let interval = try #require(figure.interval)
      #expect(interval.lowerBound < figure.value && figure.value < interval.upperBound)
    }
    // Of one picture, there is nothing else to draw.
    var alone = SegmentationScore(classes: 2)
    alone.add(predicted: [0, 1, 1, 0], labels: [0, 1, 0, 255])
    let single = SegmentationFigures(
      alone, bootstrap: Bootstrap(resamples: 50), isDetailed: false, threads: ThreadPool(threads: 1))
    #expect(single.whole[0].interval == single.whole[0].value...single.whole[0].value)
    #expect(abs(single.whole[0].value - 0.5) < 1e-12)
  }

  /// Counting in parts is counting at once; pixels without a class count for nothing, whatever is said of them.
  @Test func partsAddUp() {
    var (whole, parts, part) = (
      SegmentationCounts(classes: 3), SegmentationCounts(classes: 3), SegmentationCounts(classes: 3)
    )
    whole.add(predicted: [0, 1, 2, 9, 2, 1], labels: [0, 2, 2, 255, 1, 1])
    parts.add(predicted: [0, 1], labels: [0, 2])
    part.add(predicted: [2, 200, 2, 1], labels: [2, 255, 1, 1])
    parts.add(part)
    #expect(whole == parts)
    #expect(whole.pixelAccuracy == 3.0 / 5)
    #expect(SegmentationCounts(classes: 3).meanIoU.isNaN)
  }

  @Test func worstPicturesComeFirst() {
    var worst = WorstPictures(most: 2)
    for (index, wrong) in [0, 3, 1, 2].enumerated() {
      let labels = [UInt8](repeating: 0, count: 600 * 4)
      let predicted = labels.indices.map { UInt8($0 < wrong * 600 ? 1 : 0) }
      var counts = SegmentationCounts(classes: 2)
      counts.add(predicted: predicted, labels: labels)
      worst.add(
        index: Int64(index), name: nil, view: ([UInt8](repeating: 9, count: 300 * 2 * 3), 2, 300, 3),
        predicted: predicted, labels: labels, size: (4, 600), counts: counts)
    }
    #expect(worst.entries.map(\.index) == [1, 3])
    let first = worst.entries[0]
    #expect(first.width == 384 && first.height == 2 && first.accuracy == 0.25)
    #expect(first.pixels.count == 384 * 2 * 3 && first.labels.count == 384 * 2)
    #expect(first.predicted.filter { $0 == 1 }.count == 768)
  }
}
