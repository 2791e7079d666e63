import Compute
import Evaluation
import Testing
import Training

@Suite struct FeatureScalingTests {
  /// scikit-learn's StandardScaler, with features of very different sizes and two that are the same everywhere.
  @Test(arguments: [1, 3])
  func agreesWithScikitLearn(threads: Int) throws {
    let fixture = try MeasureFixture("scaling")
    let engine = Engine(threads: threads, poisoning: true)
    let width = try fixture.shape("bank")[1]
    let scaling = FeatureScaling(Features(values: try fixture.floats("bank"), width: width, labels: []), engine: engine)
    var queries = Features(values: try fixture.floats("queries"), width: width, labels: [])
    scaling.apply(to: &queries, engine: engine)
    for (mine, theirs) in zip(scaling.mean, try fixture.doubles("mean")) { #expect(abs(mine - theirs) < 1e-12) }
    for (mine, theirs) in zip(scaling.deviation, try fixture.doubles("deviation")) {
      #expect(abs(mine - theirs) <= 1e-12 * theirs)
    }
    #expect(scaling.deviation[4] == 1 && scaling.deviation[7] == 1)
    for (mine, theirs) in zip(queries.values, try fixture.doubles("scaled")) {
      #expect(abs(Double(mine) - theirs) <= 1e-6 * max(1, abs(theirs)))
    }
  }
}
