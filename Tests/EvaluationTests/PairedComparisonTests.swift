import Evaluation
import Parallel
import TensorStream
import Testing

@Suite struct PairedComparisonTests {
  /// SciPy's binomial test of the pairs that differ.
  @Test func agreesWithSciPy() throws {
    let fixture = try MeasureFixture("compare")
    let (pairs, p) = (try fixture.integers("pairs"), try fixture.doubles("p"))
    for (place, theirs) in p.enumerated() {
      let (a, b) = (Int(pairs[2 * place]), Int(pairs[2 * place + 1]))
      let first = [Bool](repeating: true, count: a) + [Bool](repeating: false, count: b) + [true]
      let second = first.map { !$0 }.dropLast() + [true]
      let found = PairedComparison(
        first, Array(second), bootstrap: Bootstrap(resamples: 0), threads: ThreadPool(threads: 1))
      #expect(found.onlyFirst == a && found.onlySecond == b)
      #expect(abs(found.p - theirs) <= 1e-9 * theirs, "\(a), \(b): \(found.p), expected \(theirs)")
      #expect(abs(found.difference.value - Double(a - b) / Double(a + b + 1)) < 1e-12)
    }
  }

  /// Pairs are drawn together: of two that are always equal the difference has no width, whatever their own shares have.
  @Test func pairsStayTogether() throws {
    let right = (0..<100).map { $0 % 3 == 0 }
    let found = [1, 3].map {
      PairedComparison(right, right, bootstrap: Bootstrap(resamples: 200), threads: ThreadPool(threads: $0))
    }
    #expect(found[0].difference.interval == 0...0 && found[0].p == 1)
    #expect(found[0].first.interval == found[1].first.interval)
    let interval = try #require(found[0].first.interval)
    #expect(interval.upperBound - interval.lowerBound > 0.1)
  }
}
