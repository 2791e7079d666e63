import Compute
import Evaluation
import Foundation
import Parallel
import Testing

/// Figures of sets of classes against scikit-learn's: Tests/Fixtures/measures.
@Suite struct SetFiguresTests {
  private func figures(threads: Int, resamples: Int) throws -> SetFigures {
    let fixture = try MeasureFixture("sets")
    let classes = try fixture.shape("logits")[1]
    let (logits, members) = (try fixture.floats("logits"), try fixture.bytes("member"))
    var scores = SetScores(classes: classes)
    for start in stride(from: 0, to: logits.count, by: classes) {
      scores.add(
        Array(logits[start..<start + classes]), members: (0..<classes).filter { members[start + $0] == 1 })
    }
    return SetFigures(
      scores, bootstrap: Bootstrap(resamples: resamples), isDetailed: true, threads: ThreadPool(threads: threads))
  }

  @Test func agreesWithScikitLearn() throws {
    let fixture = try MeasureFixture("sets")
    let found = try figures(threads: 2, resamples: 0)
    #expect(found.whole.map(\.name) == ["map", "loss", "micro_f1", "macro_f1", "exact"])
    for (figure, theirs) in zip(found.whole, try fixture.doubles("whole")) {
      #expect(abs(figure.value - theirs) < 1e-9, "\(figure.name): \(figure.value), expected \(theirs)")
      #expect(figure.interval == nil)
    }
    for name in ["ap", "recall", "precision", "f1"] {
      let theirs = try fixture.doubles(name)
      for label in theirs.indices {
        let figure = found.classes.first { $0.label == label }?.figures.first { $0.name == name }
        #expect((figure == nil) == theirs[label].isNaN, "\(name) of \(label)")
        if let figure { #expect(abs(figure.value - theirs[label]) < 1e-12, "\(name) of \(label)") }
      }
    }
  }

  @Test func intervalsHoldTheFiguresForAnyThreads() throws {
    let (one, three) = (try figures(threads: 1, resamples: 200), try figures(threads: 3, resamples: 200))
    #expect(one.whole == three.whole)
    #expect(one.classes.map(\.figures) == three.classes.map(\.figures))
    for figure in one.whole { #expect(figure.interval?.contains(figure.value) == true, "\(figure.name)") }
  }
}
