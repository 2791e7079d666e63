import Compute
import Evaluation
import Parallel
import TensorStream
import Testing
import Training

@Suite struct RetrievalTests {
  private func features(_ fixture: MeasureFixture, _ name: String, label: String) throws -> Features {
    Features(
      values: try fixture.floats(name), width: try fixture.shape(name)[1], labels: try fixture.labels(label))
  }

  /// scikit-learn's average precision of each query; a query whose label the bank has not is left out.
  @Test(arguments: [1, 3])
  func agreesWithScikitLearn(threads: Int) throws {
    let fixture = try MeasureFixture("retrieve")
    let engine = Engine(threads: threads, poisoning: true)
    let found = try #require(
      try Retrieval(
        bank: features(fixture, "bank", label: "bank_label"),
        queries: features(fixture, "queries", label: "query_label"), neighbours: 4, engine: engine))
    #expect(found.unmatched == 1 && found.queries[29].averagePrecision == nil)
    #expect(try near(found.queries.compactMap(\.averagePrecision), fixture.doubles("average_precision"), 1e-12))
    #expect(try near(found.queries.compactMap(\.rPrecision), fixture.doubles("r_precision"), 1e-12))
    #expect(try found.queries.compactMap { $0.first.map { $0 ? 1 : 0 } } == fixture.labels("first"))
    #expect(try found.queries.flatMap { $0.neighbours.map { Int32($0.row) } } == fixture.labels("nearest"))
    let figures = found.figures(Bootstrap(resamples: 100), threads: engine.threads)
    #expect(figures.map(\.name) == ["map", "r_precision", "top1"])
    let precisions = try fixture.doubles("average_precision")
    #expect(abs(figures[0].value - precisions.reduce(0, +) / 29) < 1e-12)
    #expect(figures[0].interval.map { $0.contains(figures[0].value) && $0.upperBound > $0.lowerBound } == true)
  }

  /// Equally similar images come in the bank's order, and an image may be left out of its own neighbours.
  @Test func anImageAndItsNeighbours() throws {
    let set = Features(values: [1, 0, 2, 0, 0, 1, 3, 0], width: 2, labels: [0, 1, 0, 1])
    let engine = Engine(threads: 1, poisoning: true)
    func nearest(_ excludesSelf: Bool) throws -> [[Int]] {
      let found = try #require(
        try Retrieval(bank: set, queries: set, neighbours: 2, excludesSelf: excludesSelf, engine: engine))
      return found.queries.map { $0.neighbours.map(\.row) }
    }
    #expect(try nearest(false) == [[0, 1], [0, 1], [2, 0], [0, 1]])
    #expect(try nearest(true) == [[1, 3], [0, 3], [0, 1], [0, 1]])
  }

  @Test func whatDoesNotFitIsAnError() {
    let engine = Engine(threads: 1)
    let set = Features(values: [1, 0], width: 2, labels: [0])
    for other in [Features(values: [1], width: 1, labels: [0]), Features(values: [1, 0], width: 2, labels: [])] {
      #expect(throws: Failure.self) { try Retrieval(bank: set, queries: other, engine: engine) }
    }
  }
}
