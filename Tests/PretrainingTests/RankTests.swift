import Autodiff
import Compute
import Foundation
import Networks
import Pretraining
import Ranks
import Runs
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// A batch that several ranks compute is the batch.
struct RankTests {
  private struct Trained: Sendable {
    /// Every tensor of the checkpoint.
    let tensors: [String: [Float]]
    /// Every figure of every step, time aside.
    let figures: [[Figure]]

    var bits: [String: [UInt32]] { tensors.mapValues { $0.map(\.bitPattern) } }
  }

  static let names = ["default", "single-fold", "single-teacher", "pixels", "mae"] + OracleRun.methods

  /// A run of the oracle's on some ranks, with drop path: what the first rank wrote.
  private func train(
    _ name: String, ranks: Int, shards: Int? = nil, threads: Int = 1, wire: Ranks.Wire = .float32,
    bucket: Int = 1 << 22,
    stopAfter: Int? = nil, then: Int? = nil
  ) throws -> Trained {
    try train(
      OracleRun(name: name), OracleRun(name: name).objective(), ranks, shards, threads, wire, bucket, stopAfter, then)
  }

  private func train<O: Objective>(
    _ oracle: OracleRun, _: O.Type, _ count: Int, _ shards: Int?, _ threads: Int, _ wire: Ranks.Wire,
    _ bucket: Int, _ stopAfter: Int?, _ then: Int?
  ) throws -> Trained {
    let path = FileManager.default.temporaryDirectory.path + "/pmae-ranks-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var figures: [[Figure]] = []
    var parts: [(count: Int, limit: Int?)] = [(count, stopAfter)]
    if stopAfter != nil { parts.append((then ?? count, nil)) }
    for (count, limit) in parts {
      let found = try ThreadLine.run(count, shards: shards, wire: wire, bucket: bucket) { ranks in
        var c = try oracle.configuration(O.self)
        c.dropPath = 0.4
        let run = try PretrainingRun<O>(c, engine: Engine(threads: threads, poisoning: true, ranks: ranks))
        let views = try run.views(try StreamReader(path: oracle.views))
        let folder = RunFolder(path)
        try ranks.agree { if ranks.isFirst { try folder.create() } }
        if let checkpoint = try folder.newestCheckpoint(onDamage: { _ in }) {
          try run.resume(from: checkpoint, on: views)
        } else {
          try run.initialise(from: StartWeights(path: oracle.start))
        }
        var figures: [[Figure]] = []
        try run.train(on: views, folder: folder, limit: limit, provenance: [:]) {
          figures.append($0.figures.filter { $0.name != "images_per_second" })
          return false
        }
        let weights = run.parts.flatMap { $0.network.parameters.flatMap { Array($0.values.array) } }
        return (figures, weights.map(\.bitPattern))
      }
      // All ranks say the same, and have the same weights.
      for other in found.dropFirst() {
        #expect(other.0 == found[0].0)
        #expect(other.1 == found[0].1)
      }
      figures += found[0].0
    }
    let record = try #require(try RunFolder(path).newestCheckpoint(onDamage: { _ in })).record
    let tensors = try record.tensors.map { ($0.name, try $0.tensor.values(of: Float.self)) }
    return Trained(tensors: Dictionary(uniqueKeysWithValues: tensors), figures: figures)
  }

  private func batch(_ name: String) throws -> Int {
    func of<O: Objective>(_: O.Type) throws -> Int { try OracleRun(name: name).configuration(O.self).batch }
    return try of(try OracleRun(name: name).objective())
  }

  @Test(arguments: names) func lossesAreThoseOfOneProcess(_ name: String) throws {
    let (one, batch) = (try train(name, ranks: 1), try batch(name))
    // Batch norms over so few rows make more of rounding.
    let bound = name == "moco-v3" ? 1e-5 : 1e-6
    for count in [2, 3, 4] where batch.isMultiple(of: count) {
      let several = try train(name, ranks: count)
      #expect(several.figures.count == one.figures.count && one.figures.count > 1)
      for (mine, theirs) in zip(several.figures, one.figures) {
        #expect(mine.map(\.name) == theirs.map(\.name))
        for (a, b) in zip(mine, theirs) where a.name.hasPrefix("loss") {
          #expect(abs(a.value - b.value) <= bound * abs(b.value), "\(count) ranks: \(a) of \(b)")
        }
      }
      for (tensor, values) in one.tensors where !tensor.hasPrefix("optimizer.") {
        let oracle = OracleRun(name: name)
        let mine = oracle.decided(tensor, try #require(several.tensors[tensor]))
        let worst = zip(mine, oracle.decided(tensor, values)).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= 1e-5, "\(tensor) differs by \(worst)")
      }
    }
  }

  @Test(arguments: names) func threadsDoNotChangeABit(_ name: String) throws {
    let (one, three) = (try train(name, ranks: 2), try train(name, ranks: 2, threads: 3))
    #expect(one.figures == three.figures)
    #expect(one.bits == three.bits)
  }

  /// A bucket of gradients goes to the other ranks while the others are computed.
  @Test(arguments: names) func bucketsDoNotChangeABit(_ name: String) throws {
    let (one, many) = (try train(name, ranks: 2), try train(name, ranks: 2, bucket: 1000))
    #expect(one.figures == many.figures)
    #expect(one.bits == many.bits)
  }

  /// What the backward pass calls final stays as it is, and nothing is left out.
  @Test(arguments: names) func finalGradientsAreFinal(_ name: String) throws {
    func check<O: Objective>(_: O.Type) throws {
      let (oracle, ranks) = (OracleRun(name: name), Ranks())
      let run = try PretrainingRun<O>(try oracle.configuration(O.self), engine: Engine(threads: 1, ranks: ranks))
      let parameters = run.parts.trained.map { ($0.name, $0.parameter.tensor) }
      var found: [ObjectIdentifier: [Float]] = [:]
      ranks.follower = { expected in
        found = [:]
        return { parameter in
          #expect(expected.contains(parameter))
          let tensor = parameters.first { ObjectIdentifier($0.1) == parameter }?.1
          found[parameter] = tensor?.gradient?.values.array ?? []
        }
      }
      ranks.shardEnded = {
        for (name, tensor) in parameters {
          let isFinal = found[ObjectIdentifier(tensor)] ?? [] == tensor.gradient?.values.array ?? []
          #expect(isFinal, "\(name)")
        }
        #expect(found.values.contains { !$0.isEmpty })
      }
      try run.initialise(from: StartWeights(path: oracle.start))
      let views = try run.views(try StreamReader(path: oracle.views))
      for _ in 0..<2 {
        _ = run.gradients(
          of: try run.take(views, epoch: 0), at: StepPlace(step: 0, stepsPerEpoch: 2, epochs: 2))
        run.optimizer.step(rate: 1e-3)
      }
    }
    try check(try OracleRun(name: name).objective())
  }

  /// Labels' figures are those of the whole batch.
  @Test func healthIsThatOfTheBatch() throws {
    let (one, two) = (try train("default", ranks: 1), try train("default", ranks: 2))
    for (mine, theirs) in zip(two.figures, one.figures) {
      for (a, b) in zip(mine, theirs) where a.name.hasPrefix("used") || a.name.hasPrefix("entropy") {
        #expect(abs(a.value - b.value) <= 1e-5, "\(a.name)")
      }
    }
  }

  /// As many shards as pictures, on every number of ranks that divides them.
  @Test(arguments: names.filter { !OracleRun.whole.contains($0) })
  func ranksDoNotChangeABitOfShards(_ name: String) throws {
    let shards = try batch(name)
    let one = try train(name, ranks: 1, shards: shards)
    for count in 2...shards where shards.isMultiple(of: count) {
      let several = try train(name, ranks: count, shards: shards)
      #expect(several.figures == one.figures, "\(count) ranks")
      #expect(several.bits == one.bits, "\(count) ranks")
    }
  }

  @Test(arguments: ["default", "dino"]) func aRunGoesOnToTheSameBits(_ name: String) throws {
    let whole = try train(name, ranks: 2)
    let paused = try train(name, ranks: 2, stopAfter: 1)
    #expect(paused.figures == whole.figures)
    #expect(paused.bits == whole.bits)
  }

  /// Another number of ranks goes on to the same bits where the shards are the same.
  @Test func otherRanksGoOn() throws {
    let whole = try train("default", ranks: 2, shards: 4)
    let moved = try train("default", ranks: 4, shards: 4, stopAfter: 1, then: 1)
    #expect(moved.bits == whole.bits)
  }

  /// Gradients that are rounded on their way: the first loss is before any.
  @Test(arguments: ["default", "moco-v3"]) func aNarrowWireLosesLittle(_ name: String) throws {
    let (plain, rounded) = (try train(name, ranks: 2), try train(name, ranks: 2, wire: .bfloat16))
    let pairs = zip(rounded.figures, plain.figures).map { (mine: $0[0].value, theirs: $1[0].value) }
    #expect(pairs[0].mine == pairs[0].theirs)
    #expect(pairs[pairs.count - 1].mine != pairs[pairs.count - 1].theirs)
    for pair in pairs { #expect(abs(pair.mine - pair.theirs) <= 0.01 * pair.theirs, "\(pair)") }
  }

  /// Each rank keeps a part of the moments.
  @Test func momentsAreShared() throws {
    let bytes = try [1, 4].map { count in
      try ThreadLine.run(count) { ranks in
        let engine = Engine(threads: 1, ranks: ranks)
        let weights = (0..<4).map {
          TrainedParameter("\($0)", Parameter("\($0)", shape: [256, 256], engine: engine, trained: true))
        }
        let before = engine.memory.bytes
        let optimizer = AdamW(weights, weightDecay: 0, engine: engine)
        return withExtendedLifetime(optimizer) { engine.memory.bytes - before }
      }[0]
    }
    #expect(bytes[0] >= 2 << 20 && bytes[1] < bytes[0] / 3, "\(bytes)")
  }

  @Test func aBatchMustBeDivisible() throws {
    let failure = #expect(throws: Failure.self) { _ = try train("default", ranks: 3) }
    #expect(failure?.kind == .usage)
    #expect(failure?.message.contains("batch 4 cannot be divided among 3 shards: expected a multiple of 3") == true)
  }

  @Test func aContrastHasAShardARank() throws {
    let failure = #expect(throws: Failure.self) { _ = try train("moco-v3", ranks: 2, shards: 6) }
    #expect(failure?.message.contains("expected 6 ranks, not 2") == true)
  }
}
