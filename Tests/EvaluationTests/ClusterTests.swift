import Compute
import Evaluation
import Parallel
import TensorStream
import Testing
import Training

@Suite struct ClusterTests {
  private func features(_ fixture: MeasureFixture) throws -> Features {
    Features(
      values: try fixture.floats("features"), width: try fixture.shape("features")[1],
      labels: try fixture.labels("label"))
  }

  /// scikit-learn's k-means from the same centres, one of which no row is near.
  @Test(arguments: [1, 3])
  func agreesWithScikitLearn(threads: Int) throws {
    let fixture = try MeasureFixture("cluster")
    let means = try KMeans(features(fixture), engine: Engine(threads: threads, poisoning: true))
    let found = try #require(means.solve(from: fixture.doubles("start")))
    #expect(try found.assignment == fixture.labels("assignment"))
    #expect(try near(found.centres, fixture.doubles("centres"), 1e-6))
    #expect(try near([found.inertia], [fixture.doubles("inertia")[0]], 1e-6))
  }

  /// Of many starts the best is scikit-learn's best of many; it follows the seed, and not the threads.
  @Test func theBestOfManyStarts() throws {
    let fixture = try MeasureFixture("cluster")
    let found = try [(1, 3), (4, 3), (1, 4)].map { threads, seed in
      let means = try KMeans(features(fixture), engine: Engine(threads: threads, poisoning: true))
      return try #require(means.best(clusters: 6, starts: 20, seed: UInt64(seed)))
    }
    #expect(found[0].assignment == found[1].assignment && found[0].centres == found[1].centres)
    #expect(found[0].assignment != found[2].assignment)
    let best = try fixture.doubles("inertia")[1]
    for solution in found { #expect(abs(solution.inertia - best) < 1e-5 * best) }
  }

  /// Rows that are all the same still make as many clusters as were asked for, and every row one of its own as well.
  @Test func extremes() throws {
    let same = Features(values: [Float](repeating: 2, count: 10), width: 2, labels: [])
    let engine = Engine(threads: 1, poisoning: true)
    let found = try #require(try KMeans(same, engine: engine).best(clusters: 3, starts: 1, seed: 0))
    #expect(found.inertia == 0)
    let own = Features(values: [0, 1, 5, 9], width: 1, labels: [])
    let alone = try #require(try KMeans(own, engine: engine).best(clusters: 4, starts: 1, seed: 0))
    #expect(alone.inertia == 0 && Set(alone.assignment).count == 4)
  }

  /// An image that is drawn twice agrees with itself: resamples as they are lie above the figure where images are few.
  @Test func intervalsLieAboutTheFigure() {
    var random = CounterRandom(seed: 2, epoch: 0, sample: 0, purpose: 9)
    let labels = (0..<40).map { Int32($0 % 8) }
    // Half of the images are in any cluster.
    let clusters = labels.map { random.below(2) == 0 ? $0 : Int32(random.below(8)) }
    let figures = ClusterFigures.of(
      labels: labels, clusters: clusters, bootstrap: Bootstrap(resamples: 400), threads: ThreadPool(threads: 2))
    for figure in figures {
      let interval = figure.interval ?? 0...0
      #expect(interval.contains(figure.value), "\(figure)")
      // As wide on either side, about.
      let (below, above) = (figure.value - interval.lowerBound, interval.upperBound - figure.value)
      #expect(below > 0.05 && above > 0.05 && max(below, above) < 2 * min(below, above), "\(figure)")
    }
  }

  /// scikit-learn's measures, of clusters that agree, that do not, and of one class or one cluster.
  @Test func figuresAgreeWithScikitLearn() throws {
    let fixture = try MeasureFixture("cluster")
    let (labels, other) = (try fixture.labels("label"), try fixture.labels("other"))
    let one = [Int32](repeating: 0, count: labels.count)
    let pairs = [(labels, try fixture.labels("assignment")), (labels, other), (one, other), (one, one), (other, other)]
    for (place, pair) in pairs.enumerated() {
      let figures = ClusterFigures.of(
        labels: pair.0, clusters: pair.1, bootstrap: Bootstrap(resamples: 20), threads: ThreadPool(threads: 2))
      #expect(figures.map(\.name) == ["nmi", "ari", "purity"])
      for figure in figures {
        #expect(abs(figure.value - (try fixture.doubles(figure.name)[place])) < 1e-12, "\(place): \(figure)")
      }
    }
  }
}
