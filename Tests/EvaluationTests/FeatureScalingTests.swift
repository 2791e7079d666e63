import Compute
import Evaluation
import Parallel
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

  /// Of features that are wider than may be, the directions come from rows: the same ones, up to their signs, where these are all.
  @Test(arguments: [1, 3])
  func wideFeaturesAreWhitenedByRows(threads: Int) throws {
    let engine = Engine(threads: threads, poisoning: true)
    var random = CounterRandom(seed: 3, epoch: 0, sample: 0, purpose: 0)
    let (rows, width) = (40, 700)
    let values = (0..<rows * width).map { Float(random.normal()) * Float(1 + $0 % width % 7) }
    let bank = Features(values: values, width: width, labels: [])
    let narrow = try FeatureWhitening(bank, count: 30, source: "bank", engine: engine)
    let wide = try FeatureWhitening(bank, count: 30, source: "bank", engine: engine, widest: 500)
    #expect(narrow.width == 30 && wide.width == 30)
    let (one, other) = (narrow(bank, engine: engine).values, wide(bank, engine: engine).values)
    for k in 0..<30 {
      let column = stride(from: k, to: one.count, by: 30)
      let sign: Float =
        zip(column.map { one[$0] }, column.map { other[$0] }).reduce(0) { $0 + $1.0 * $1.1 } < 0 ? -1 : 1
      for i in column { #expect(abs(one[i] - sign * other[i]) < 1e-4) }
      // Each has variance 1.
      #expect(abs(column.reduce(0) { $0 + Double(other[$1]) * Double(other[$1]) } / Double(rows - 1) - 1) < 1e-4)
    }
    // Fewer rows than there are: some of them, the same for any threads.
    let some = try FeatureWhitening(bank, count: 30, source: "bank", engine: engine, widest: 20)
    #expect(some.width == 19)
    let single = try FeatureWhitening(bank, count: 30, source: "bank", engine: Engine(threads: 1), widest: 20)
    #expect(some(bank, engine: engine).values == single(bank, engine: Engine(threads: 1)).values)
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
