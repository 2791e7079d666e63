import Compute
import Evaluation
import Foundation
import Networks
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
}
