import Compute
import Evaluation
import TensorStream
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

  /// scikit-learn's PCA(whiten=True), where one feature is the same everywhere and one is another's double: ten directions of twelve.
  @Test(arguments: [1, 3])
  func whitensAsScikitLearn(threads: Int) throws {
    let fixture = try MeasureFixture("whitening")
    let engine = Engine(threads: threads, poisoning: true)
    let width = try fixture.shape("bank")[1]
    let bank = Features(values: try fixture.floats("bank"), width: width, labels: [])
    let queries = Features(values: try fixture.floats("queries"), width: width, labels: [])
    let theirs = try fixture.doubles("whitened")
    let all = try FeatureWhitening(bank, count: width, source: "bank", engine: engine)
    #expect(all.width == 10)
    #expect(near(all(queries, engine: engine).values.map(Double.init), theirs, 1e-4))
    // Fewer directions are the first ones.
    let few = try FeatureWhitening(bank, count: 4, source: "bank", engine: engine)
    let first = stride(from: 0, to: theirs.count, by: 10).flatMap { theirs[$0..<$0 + 4] }
    #expect(near(few(queries, engine: engine).values.map(Double.init), first, 1e-4))
  }

  @Test func nothingToWhitenIsNamed() throws {
    let engine = Engine(threads: 1)
    let same = Features(values: [Float](repeating: 2, count: 12), width: 3, labels: [])
    #expect(throws: Failure.self) { try FeatureWhitening(same, count: 2, source: "same", engine: engine) }
    let one = Features(values: [1, 2, 3], width: 3, labels: [])
    #expect(throws: Failure.self) { try FeatureWhitening(one, count: 2, source: "one", engine: engine) }
    let broken = Features(values: [1, 2, .nan, 4, 5, 6], width: 3, labels: [])
    #expect(throws: Failure.self) { try FeatureWhitening(broken, count: 2, source: "broken", engine: engine) }
  }
}
