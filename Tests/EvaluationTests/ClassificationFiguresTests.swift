import Compute
import Evaluation
import Foundation
import Parallel
import Testing

@Suite struct ClassificationFiguresTests {
  private func verdicts(_ fixture: MeasureFixture) throws -> [Verdict] {
    let classes = try fixture.shape("logits")[1]
    let logits = try fixture.floats("logits")
    var score = ClassificationScore()
    logits.withUnsafeBufferPointer { logits in
      for (row, label) in ((try? fixture.labels("label")) ?? []).enumerated() {
        score.add(UnsafeBufferPointer(rebasing: logits[row * classes..<(row + 1) * classes]), label: Int(label))
      }
    }
    return score.verdicts
  }

  private func figures(threads: Int, resamples: Int = 1000, seed: UInt64 = 0) throws -> ClassificationFigures {
    ClassificationFigures(
      try verdicts(try MeasureFixture("classify")), classes: 7,
      bootstrap: Bootstrap(resamples: resamples, seed: seed), isDetailed: true, threads: ThreadPool(threads: threads))
  }

  /// scikit-learn's figures, and torchmetrics' calibration error, of classes of which one has no image and one is never said.
  @Test func agreesWithScikitLearn() throws {
    let fixture = try MeasureFixture("classify")
    let found = try figures(threads: 2, resamples: 0)
    #expect(
      found.whole.map(\.name) == ["top1", "top5", "loss", "balanced_accuracy", "macro_f1", "mcc", "ece"])
    for (figure, theirs) in zip(found.whole, try fixture.doubles("whole")) {
      #expect(abs(figure.value - theirs) < 1e-6, "\(figure.name): \(figure.value), expected \(theirs)")
      #expect(figure.interval == nil)
    }
    let names = ["recall", "precision", "f1"]
    for name in names {
      let theirs = try fixture.doubles(name)
      for row in found.classes {
        let figure = row.figures.first { $0.name == name }
        #expect((figure == nil) == theirs[row.label].isNaN, "\(name) of \(row.label)")
        if let figure { #expect(abs(figure.value - theirs[row.label]) < 1e-12) }
      }
    }
    let matrix = try fixture.integers("confusion")
    #expect(found.confusion.count == matrix.count { $0 > 0 })
    for cell in found.confusion { #expect(matrix[cell.label * 7 + cell.predicted] == Int64(cell.images)) }
    #expect(found.bins.reduce(0) { $0 + $1.images } == 400)
    for bin in found.bins { #expect(bin.range.contains(bin.confidence)) }
  }

  /// SciPy's percentile intervals of 20,000 resamples, within what 2,000 let one expect; the same bits for any threads.
  @Test func intervalsAgreeWithSciPy() throws {
    let theirs = try MeasureFixture("classify").doubles("intervals")
    let (one, three) = (try figures(threads: 1, resamples: 2000), try figures(threads: 3, resamples: 2000))
    #expect(one.whole == three.whole)
    #expect(one.classes.map(\.figures) == three.classes.map(\.figures))
    #expect(one.bins.map(\.accuracy) == three.bins.map(\.accuracy))
    for (name, place) in [("top1", 0), ("mcc", 2)] {
      let interval = try #require(one.whole.first { $0.name == name }?.interval)
      let width = theirs[place + 1] - theirs[place]
      #expect(abs(interval.lowerBound - theirs[place]) < 0.08 * width, "\(interval)")
      #expect(abs(interval.upperBound - theirs[place + 1]) < 0.08 * width, "\(interval)")
    }
    #expect(try figures(threads: 1, seed: 1).whole != figures(threads: 1).whole)
  }

  /// Of images that are all right no resample has another share.
  @Test func whatNeverDiffersHasNoWidth() throws {
    var score = ClassificationScore()
    for label in [0, 1, 1] { [Float(1 - label), Float(label)].withUnsafeBufferPointer { score.add($0, label: label) } }
    let found = ClassificationFigures(
      score.verdicts, classes: 2, bootstrap: Bootstrap(resamples: 50), isDetailed: true,
      threads: ThreadPool(threads: 1))
    #expect(found.whole[0].interval == 1...1 && found.whole[0].value == 1)
    #expect(found.confusion.map(\.images) == [1, 2])
  }
}
