import Compute
import Evaluation
import Foundation
import TensorStream
import Testing
import Training

@Suite struct LogisticRegressionTests {
  /// scikit-learn's coefficients, intercepts, probabilities and objective, of several classes, of two, and with more features than rows.
  @Test(arguments: ["many", "two", "wide"], [1, 3])
  func agreesWithScikitLearn(name: String, threads: Int) throws {
    let fixture = try MeasureFixture("linear")
    let engine = Engine(threads: threads, poisoning: true)
    let (width, labels) = (try fixture.shape("\(name).features")[1], try fixture.labels("\(name).label"))
    let features = Features(values: try fixture.floats("\(name).features"), width: width, labels: labels)
    let classes = Int(labels.max() ?? 0) + 1
    let problem = try LogisticRegression(features, labels: labels, classes: classes, engine: engine)
    var start: LogisticModel?
    for place in 0..<3 {
      let c = try fixture.doubles("\(name).\(place).c")[0]
      let model = try #require(problem.fit(penalty: 1 / c, from: start, tolerance: 1e-14))
      #expect(model.hasConverged)
      #expect(model.iterations < 300, "\(model.iterations) steps")
      start = model
      let (coefficients, intercepts) = (
        try fixture.doubles("\(name).\(place).coefficients"), try fixture.doubles("\(name).\(place).intercepts")
      )
      if classes == 2 {
        // Theirs is the curve's one vector, ours the two halves of it.
        #expect(near(zip(model.weights[width...], model.weights).map { $0 - $1 }, coefficients, 1e-4))
        #expect(near([model.intercepts[1] - model.intercepts[0]], intercepts, 1e-4))
      } else {
        #expect(near(model.weights, coefficients, 1e-4))
        #expect(near(model.intercepts, intercepts, 1e-4))
      }
      #expect(near([model.objective], try fixture.doubles("\(name).\(place).objective"), 1e-6))
      let logits = model.logits(of: features, engine: engine)
      let probabilities = stride(from: 0, to: logits.count, by: classes).flatMap { start in
        let row = logits[start..<start + classes].map { exp(Double($0)) }
        return row.map { $0 / row.reduce(0, +) }
      }
      #expect(near(probabilities, try fixture.doubles("\(name).\(place).probabilities"), 1e-4))
    }
  }

  private func fixture(threads: Int) throws -> (Features, Engine) {
    let fixture = try MeasureFixture("linear")
    return (
      Features(
        values: try fixture.floats("many.features"), width: try fixture.shape("many.features")[1],
        labels: try fixture.labels("many.label").map { 3 * $0 + 1 }),
      Engine(threads: threads, poisoning: true)
    )
  }

  /// The chosen penalty is the best of those tried; everything is the same for any threads, and follows the seed.
  @Test func thePenaltyIsChosenOnRowsHeldOut() throws {
    var options = LinearEvaluation.Options()
    options.penalties = [1, 0.001, 100]
    let found = try [1, 4].map { threads in
      let (bank, engine) = try fixture(threads: threads)
      return try #require(try LinearEvaluation(bank, options, source: "bank", engine: engine))
    }
    let (one, four) = (found[0], found[1])
    #expect(one.trials == four.trials && one.model.weights == four.model.weights)
    #expect(one.model.intercepts == four.model.intercepts && one.penalty == four.penalty)
    #expect(one.trials.map(\.penalty) == [100, 1, 0.001])
    #expect(one.labels == [1, 4, 7, 10, 13])
    let best = try #require(one.trials.min { $0.loss < $1.loss })
    #expect(one.penalty == best.penalty)
    options.seed = 1
    let (bank, engine) = try fixture(threads: 1)
    let other = try #require(try LinearEvaluation(bank, options, source: "bank", engine: engine))
    #expect(other.trials != one.trials)
  }

  /// Where one part holds out fewer than 1,000 rows there are several, and a trial is their mean.
  @Test func aTrialIsTheMeanOfSeveralParts() throws {
    let (bank, engine) = try fixture(threads: 1)
    var options = LinearEvaluation.Options()
    options.penalties = [10, 1]
    let found = try #require(try LinearEvaluation(bank, options, source: "bank", engine: engine))
    let labels = Set(bank.labels).sorted()
    var losses: [Double] = []
    for part in 0..<5 as Range<UInt64> {
      let (kept, heldOut) = LabelledRows.split(bank.labels, share: options.heldOut, seed: part << 48)
      #expect(heldOut.count < 200)
      let rows = bank.rows(kept)
      let places = rows.labels.map { Int32(labels.firstIndex(of: $0) ?? -1) }
      let problem = try LogisticRegression(rows, labels: places, classes: labels.count, engine: engine)
      let model = try #require(problem.fit(penalty: 10, from: nil, tolerance: 1e-4))
      losses.append(try model.score(on: bank.rows(heldOut), labels: labels, source: "bank", engine: engine).loss)
    }
    #expect(Set(losses).count == 5)
    #expect(abs(losses.reduce(0, +) / 5 - found.trials[0].loss) < 1e-12)
  }

  @Test func fewLabelsOfEachClass() throws {
    let labels = [Int32](repeating: 5, count: 10) + [Int32](repeating: 2, count: 7)
    let rows = try LabelledRows.few(3, of: labels, seed: 1, source: "x")
    #expect(rows.count == 6 && Set(rows).count == 6 && rows == rows.sorted())
    #expect(rows.count { labels[$0] == 5 } == 3)
    #expect(try rows == LabelledRows.few(3, of: labels, seed: 1, source: "x"))
    #expect(try (2..<6).contains { try LabelledRows.few(3, of: labels, seed: $0, source: "x") != rows })
    #expect(throws: Failure.self) { try LabelledRows.few(8, of: labels, seed: 1, source: "x") }
  }

  @Test func whatCannotBeIsAnError() throws {
    let engine = Engine(threads: 1, poisoning: true)
    let one = Features(values: [1, 2], width: 1, labels: [3, 3])
    #expect(throws: Failure.self) { try LinearEvaluation(one, .init(), source: "x", engine: engine) }
    let single = Features(values: [1, 2], width: 1, labels: [3, 4])
    #expect(throws: Failure.self) { try LinearEvaluation(single, .init(), source: "x", engine: engine) }
    var options = LinearEvaluation.Options()
    options.penalties = [1]
    let found = try #require(try LinearEvaluation(single, options, source: "x", engine: engine))
    #expect(found.trials.isEmpty)
    let other = Features(values: [1], width: 1, labels: [9])
    #expect(throws: Failure.self) {
      try found.model.score(on: other, labels: found.labels, source: "y", engine: engine)
    }
  }
}
