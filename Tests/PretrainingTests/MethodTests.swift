import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// The other objectives, as wholes: against the oracle, and against themselves.
struct MethodTests {
  /// A run of the oracle's, trained.
  private struct Trained {
    /// Every tensor of the checkpoint.
    let tensors: [String: [Float]]
    /// Every figure of every step, time aside.
    let figures: [[Figure]]
  }

  private func withFolder<R>(_ body: (String) throws -> R) throws -> R {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-methods-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  private func train<O: Objective>(
    _: O.Type, _ oracle: OracleRun, threads: Int = 2, dropPath: Double = 0, accumulate: Int = 1,
    precision: Precision = .float32, pauseAfter: Int? = nil, drawn: Bool = false
  ) throws -> Trained {
    try withFolder { path in
      var c = try oracle.configuration(O.self)
      c.dropPath = dropPath
      c.accumulate = accumulate
      c.precision = precision
      let folder = RunFolder(path)
      try folder.create()
      var figures: [[Figure]] = []
      let limits: [Int?] = pauseAfter.map { [$0, nil] } ?? [nil]
      for limit in limits {
        let run = try PretrainingRun<O>(
          c, engine: Engine(threads: threads, precision: precision, poisoning: true))
        let views = try run.views(try StreamReader(path: oracle.views))
        if let checkpoint = try folder.newestCheckpoint(onDamage: { _ in }) {
          try run.resume(from: checkpoint, on: views)
        } else {
          try run.initialise(from: StartWeights(path: oracle.start))
        }
        try run.train(on: views, folder: folder, limit: limit, provenance: [:]) {
          figures.append($0.figures.filter { $0.name != "images_per_second" })
          return false
        }
      }
      let record = try #require(try folder.newestCheckpoint(onDamage: { _ in })).record
      let tensors = try record.tensors.map { ($0.name, try $0.tensor.values(of: Float.self)) }
      return Trained(tensors: Dictionary(uniqueKeysWithValues: tensors), figures: figures)
    }
  }

  @Test(arguments: OracleRun.methods) func aRunAgreesWithTheOracle(_ name: String) throws {
    let oracle = OracleRun(name: name)
    try agree(oracle, try oracle.objective())
  }

  private func agree<O: Objective>(_ oracle: OracleRun, _: O.Type) throws {
    let (trained, expected) = (try train(O.self, oracle), try oracle.expected())
    for (term, tensor) in expected.tensors where term.hasPrefix("loss") {
      let theirs = try tensor.values(of: Float.self)
      #expect(trained.figures.count == theirs.count)
      for (figures, loss) in zip(trained.figures, theirs) {
        let mine = try #require(figures.first { $0.name == term }, "\(term)").value
        #expect(abs(mine - Double(loss)) <= 1e-5 * Double(loss), "\(term): \(mine), expected \(loss)")
      }
    }
    var compared = 0
    for (name, tensor) in expected.tensors where name.hasPrefix("final.") && tensor.type == .f32 {
      let name = String(name.dropFirst("final.".count))
      let mine = oracle.decided(name, try #require(trained.tensors[name], "\(name)"))
      let theirs = oracle.decided(name, try tensor.values(of: Float.self))
      #expect(mine.count == theirs.count)
      let worst = zip(mine, theirs).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 1e-5, "\(name) differs by \(worst)")
      compared += 1
    }
    #expect(compared > 20)
  }

  @Test(arguments: OracleRun.methods) func threadsDoNotChangeABit(_ name: String) throws {
    func run<O: Objective>(_: O.Type, _ threads: Int) throws -> Trained {
      try train(O.self, OracleRun(name: name), threads: threads, dropPath: 0.4)
    }
    let objective = try OracleRun(name: name).objective()
    let (one, three) = (try run(objective, 1), try run(objective, 3))
    #expect(one.figures == three.figures)
    #expect(one.tensors.mapValues { $0.map(\.bitPattern) } == three.tensors.mapValues { $0.map(\.bitPattern) })
  }

  /// Between two steps of an epoch, and between epochs.
  @Test(arguments: OracleRun.methods, [1, 2]) func aRunGoesOnToTheSameBits(_ name: String, after steps: Int) throws {
    func run<O: Objective>(_: O.Type, _ pause: Int?) throws -> Trained {
      try train(O.self, OracleRun(name: name), dropPath: 0.4, pauseAfter: pause)
    }
    let objective = try OracleRun(name: name).objective()
    let (whole, paused) = (try run(objective, nil), try run(objective, steps))
    #expect(paused.figures == whole.figures)
    #expect(whole.tensors.mapValues { $0.map(\.bitPattern) } == paused.tensors.mapValues { $0.map(\.bitPattern) })
  }

  @Test(arguments: OracleRun.methods.filter { !OracleRun.whole.contains($0) })
  func aBatchInPartsIsTheBatch(_ name: String) throws {
    func run<O: Objective>(_: O.Type, _ parts: Int) throws -> Trained {
      try train(O.self, OracleRun(name: name), dropPath: 0.4, accumulate: parts)
    }
    let oracle = OracleRun(name: name)
    let (whole, parts) = (try run(try oracle.objective(), 1), try run(try oracle.objective(), 2))
    for (mine, theirs) in zip(parts.figures, whole.figures) {
      #expect(mine.map(\.name) == theirs.map(\.name))
      for (a, b) in zip(mine, theirs) where a.name.hasPrefix("loss") {
        #expect(abs(a.value - b.value) <= 1e-5 * abs(b.value), "\(a.name)")
      }
    }
    for (name, values) in whole.tensors where !name.hasPrefix("optimizer.") {
      let mine = oracle.decided(name, try #require(parts.tensors[name]))
      let worst = zip(mine, oracle.decided(name, values)).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 1e-5, "\(name) differs by \(worst)")
    }
  }

  @Test func aContrastHasNoParts() throws {
    let failure = #expect(throws: Failure.self) {
      _ = try train(MoCoV3.self, OracleRun(name: "moco-v3"), accumulate: 2)
    }
    #expect(failure?.kind == .usage)
    #expect(failure?.message.contains("compares each image with all of the batch") == true)
  }

  @Test(.enabled(if: BFloat16.unavailable == nil), arguments: OracleRun.methods)
  func bfloat16LosesAboutAsMuch(_ name: String) throws {
    func run<O: Objective>(_: O.Type, _ precision: Precision) throws -> Trained {
      try train(O.self, OracleRun(name: name), precision: precision)
    }
    let objective = try OracleRun(name: name).objective()
    // Norms over six rows magnify what is rounded.
    let share = name == "moco-v3" ? 0.06 : 0.02
    let (exact, rounded) = (try run(objective, .float32), try run(objective, .bfloat16))
    for (mine, theirs) in zip(rounded.figures, exact.figures) {
      let (a, b) = (mine.first { $0.name == "loss" }, theirs.first { $0.name == "loss" })
      let (loss, expected) = (try #require(a).value, try #require(b).value)
      #expect(loss != expected)
      #expect(abs(loss - expected) <= share * expected, "\(loss), expected \(expected)")
    }
  }
}
