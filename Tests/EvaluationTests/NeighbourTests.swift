import Compute
import Evaluation
import Foundation
import Networks
import Parallel
import Schemas
import TensorStream
import Testing
import Training

@Suite struct NeighbourTests {
  private static let fixture =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    + "/Fixtures/timm/neighbours.safetensors"

  private func features(_ record: Record, _ name: String) throws -> Features {
    let values = try #require(record[name])
    return Features(
      values: try values.values(of: Float.self), width: values.shape[1],
      labels: try #require(record[name + "_label"]).values(of: Int32.self))
  }

  @Test(arguments: [1, 2])
  func agreesWithDINO(threads: Int) throws {
    let record = try readTensors(path: Self.fixture)
    let hits = try #require(record["hits"]).values(of: Int32.self).map(Int.init)
    let test = try features(record, "test")
    let ks = stride(from: 0, to: hits.count, by: 3).map { hits[$0] }
    let found = try nearestNeighbourScores(
      train: features(record, "train"), test: test, ks: ks, temperature: 0.07,
      engine: Engine(threads: threads, poisoning: true))
    let scores = try #require(found)
    for (place, score) in scores.enumerated() {
      #expect(score.k == ks[place])
      #expect(score.images == test.count)
      #expect(score.top1 == Double(hits[3 * place + 1]) / Double(test.count))
      #expect(score.top5 == Double(hits[3 * place + 2]) / Double(test.count))
    }
  }

  /// Lengths do not matter, the order of the list of k is kept, and labels may be any numbers.
  @Test func theNearestVotes() throws {
    let train = Features(values: [1, 0, 0, 5, -1, 0.1, -3, 0], width: 2, labels: [2_000_000_000, 4, 7, 7])
    let test = Features(values: [9, 1, 0.1, 2, -1, 0], width: 2, labels: [2_000_000_000, 4, 7])
    let found = try nearestNeighbourScores(
      train: train, test: test, ks: [4, 1], temperature: 0.07, engine: Engine(threads: 1, poisoning: true))
    let scores = try #require(found)
    #expect(scores.map(\.k) == [4, 1])
    #expect(scores.map(\.top1) == [1, 1])
    #expect(scores.map(\.top5) == [1, 1])
  }

  /// The first is the nearer by 4e-4 of a cosine; of vectors rounded to bfloat16 it would be the second.
  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func similaritiesAreFloat32() throws {
    let train = Features(values: [1, 0.01, 1, 0.04], width: 2, labels: [0, 1])
    let test = Features(values: [1, 0.01], width: 2, labels: [0])
    let found = try nearestNeighbourScores(
      train: train, test: test, ks: [1], engine: Engine(threads: 1, precision: .bfloat16))
    #expect(try #require(found).map(\.top1) == [1])
  }

  @Test func ofEqualsTheFirstWins() throws {
    let train = Features(values: [1, 0, 1, 0, 1, 0], width: 2, labels: [3, 1, 1])
    let test = Features(values: [1, 0], width: 2, labels: [3])
    let found = try nearestNeighbourScores(
      train: train, test: test, ks: [1, 2, 3], temperature: 0.07, engine: Engine(threads: 1, poisoning: true))
    // One: the first of three equals. Two: one vote each, and the lower class wins. Three: two votes against one.
    #expect(try #require(found).map(\.top1) == [1, 0, 0])
  }

  /// Of four classes one or two have votes: a label without one is not among the first five.
  @Test func classesWithoutVotesDoNotCount() throws {
    let train = Features(values: [1, 0, 1, 0.1, -1, 0, 0, -1], width: 2, labels: [0, 1, 2, 3])
    let test = Features(values: [1, 0, 1, 0, 1, 0, 1, 0], width: 2, labels: [0, 1, 2, 4])
    let found = try nearestNeighbourScores(
      train: train, test: test, ks: [1, 2, 4], engine: Engine(threads: 1, poisoning: true))
    let scores = try #require(found)
    #expect(scores.map(\.top1) == [0.25, 0.25, 0.25])
    #expect(scores.map(\.top5) == [0.25, 0.5, 0.75])
  }

  @Test func whatCannotBeIsAnError() {
    let train = Features(values: [1, 0, 0, 1], width: 2, labels: [0, 1])
    let engine = Engine(threads: 1, poisoning: true)
    #expect(throws: Failure.self) {
      try nearestNeighbourScores(
        train: train, test: Features(values: [1, 0, 0], width: 3, labels: [0]), ks: [1], engine: engine)
    }
    #expect(throws: Failure.self) {
      try nearestNeighbourScores(
        train: train, test: Features(values: [1, 0], width: 2, labels: []), ks: [1], engine: engine)
    }
    #expect(throws: Failure.self) {
      try nearestNeighbourScores(train: train, test: train, ks: [3], engine: engine)
    }
    #expect(throws: Failure.self) {
      try nearestNeighbourScores(train: train, test: train, ks: [1], temperature: 0, engine: engine)
    }
  }

  /// Against sorting. Similarities are multiples of a quarter, so most are equal to many others, in other parts of the bank too.
  @Test(arguments: [1, 3], [7, 300])
  func agreesWithSorting(threads: Int, asked: Int) throws {
    var random = CounterRandom(seed: 5, epoch: 0, sample: 0, purpose: 1)
    func features(_ count: Int) -> Features {
      var values: [Float] = []
      for _ in 0..<count {
        var row = [Float](repeating: 0, count: 8)
        while row.count(where: { $0 != 0 }) < 4 { row[Int(random.next32() % 8)] = random.next32() % 2 == 0 ? 1 : -1 }
        values += row
      }
      return Features(values: values, width: 8, labels: (0..<count).map { _ in Int32(random.next32() % 12) })
    }
    let (bank, queries) = (features(2500), features(asked))
    let ks = [1, 20, 200]
    let found = try nearestNeighbourScores(
      train: bank, test: queries, ks: ks, temperature: 0.5, engine: Engine(threads: threads, poisoning: true))
    let scores = try #require(found)
    var right = ks.map { _ in (first: 0, five: 0) }
    for q in 0..<asked {
      func row(_ set: Features, _ r: Int) -> ArraySlice<Float> { set.values[r * 8..<r * 8 + 8] }
      let similarities = (0..<bank.count).map { r in
        zip(row(queries, q), row(bank, r)).reduce(0) { $0 + $1.0 * $1.1 } / 4
      }
      let order = (0..<bank.count).sorted { (-similarities[$0], $0) < (-similarities[$1], $1) }
      for (place, k) in ks.enumerated() {
        var votes: [Int32: Double] = [:]
        for r in order.prefix(k) { votes[bank.labels[r], default: 0] += exp(Double(similarities[r]) / 0.5) }
        let ranked = votes.keys.sorted { (-votes[$0]!, $0) < (-votes[$1]!, $1) }
        if ranked.first == queries.labels[q] { right[place].first += 1 }
        if ranked.prefix(5).contains(queries.labels[q]) { right[place].five += 1 }
      }
    }
    #expect(scores.map(\.top1) == right.map { Double($0.first) / Double(asked) })
    #expect(scores.map(\.top5) == right.map { Double($0.five) / Double(asked) })
  }

  @Test func stopsWhenAsked() throws {
    let features = Features(values: [1, 0, 0, 1], width: 2, labels: [0, 1])
    let found = try nearestNeighbourScores(train: features, test: features, ks: [1], engine: Engine(threads: 1)) { _ in
      true
    }
    #expect(found == nil)
  }
}
