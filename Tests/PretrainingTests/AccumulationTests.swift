import Autodiff
import Compute
import Foundation
import Networks
import Parallel
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// A batch computed in parts is the batch.
struct AccumulationTests {
  /// A run of the oracle's, with drop path so that each part must find its own pictures' draws.
  private func run<O: Objective>(
    _ name: String, parts: Int, threads: Int = 2, as _: O.Type = PseudoMAE.self
  ) throws -> (run: PretrainingRun<O>, views: ViewBatches) {
    let oracle = OracleRun(name: name == "simple" ? "default" : name)
    var c = try oracle.configuration(O.self)
    if name == "simple" {
      for setting in O.Options.settings where setting.name == "label-view" {
        #expect(setting.parse("simple", into: &c.options))
      }
    }
    c.dropPath = 0.5
    c.accumulate = parts
    let run = try PretrainingRun<O>(c, engine: Engine(threads: threads, poisoning: true))
    try run.initialise(from: StartWeights(path: oracle.start))
    return (run, try run.views(try StreamReader(path: oracle.views)))
  }

  private func gradients<O: Objective>(_ run: PretrainingRun<O>) -> [(name: String, values: [Float])] {
    run.parts.trained.map { trained in
      let tensor = trained.parameter.tensor
      guard let gradient = tensor.gradient else { return (trained.name, [Float](repeating: 0, count: tensor.count)) }
      return (trained.name, Array(gradient.values.array[..<tensor.count]))
    }
  }

  /// A constant added to all keys changes no softmax: the key third's gradient is rounding alone.
  private func withoutKeys(_ name: String, _ values: [Float]) -> [Float] {
    guard name.hasSuffix("qkv.bias") else { return values }
    return Array(values[..<(values.count / 3)] + values[(2 * values.count / 3)...])
  }

  /// Both matches, both label views, MAE. Of the other objectives see MethodTests.
  @Test(arguments: ["default", "simple", "mae", "sdae", "single-fold", "single-teacher", "pixels"], [2, 4])
  func lossesAndGradientsAreThoseOfTheBatch(_ name: String, parts: Int) throws {
    try compareParts(name, parts: parts, OracleRun(name: name == "simple" ? "default" : name).objective())
  }

  private func compareParts<O: Objective>(_ name: String, parts: Int, _: O.Type) throws {
    let (whole, wholeViews) = try run(name, parts: 1, as: O.self)
    let (split, splitViews) = try run(name, parts: parts, as: O.self)
    let expected = whole.gradients(of: try whole.take(wholeViews, epoch: 0), at: OracleRun.firstStep)
    let batch = try split.take(splitViews, epoch: 0)
    #expect(batch.count == parts)
    let losses = split.gradients(of: batch, at: OracleRun.firstStep)
    #expect(losses.terms.map(\.name) == expected.terms.map(\.name))
    #expect(losses.terms.count == ["mae": 1, "pixels": 4][name] ?? 3)
    for (mine, theirs) in zip([losses.loss] + losses.terms.map(\.value), [expected.loss] + expected.terms.map(\.value))
    {
      #expect(abs(mine - theirs) <= 1e-6 * theirs)
    }
    for (mine, theirs) in zip(gradients(split), gradients(whole)) {
      let pairs = zip(withoutKeys(mine.name, mine.values), withoutKeys(theirs.name, theirs.values))
      let distance = pairs.reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }.squareRoot()
      let norm = pairs.reduce(0.0) { $0 + pow(Double($1.1), 2) }.squareRoot()
      #expect(distance <= 1e-5 * norm, "\(mine.name): \(distance / norm) of its norm")
    }
  }

  /// Parts balanced each by itself would have other labels.
  @Test(arguments: [2, 4]) func labelsAreThoseOfTheBatch(parts: Int) throws {
    let (whole, wholeViews) = try run("default", parts: 1)
    let (split, splitViews) = try run("default", parts: parts)
    let expected = try #require(
      whole.objective.labels(
        of: try whole.take(wholeViews, epoch: 0), schedule: whole.configuration.options.settledSchedule
      ).labels.first ?? nil)
    let labels = split.objective.labels(
      of: try split.take(splitViews, epoch: 0), schedule: split.configuration.options.settledSchedule
    ).labels.compactMap { $0 }
    #expect(labels.count == parts)
    // OpenBLAS adds up a row in an order that depends on how many there are.
    let bound: Float = Engine(threads: 1).kernels == "openblas" ? 1e-5 : 1e-6
    for (mine, theirs) in [(labels.map(\.classes), expected.classes), (labels.map(\.patches), expected.patches)] {
      let joined = mine.flatMap { Array($0.values.array) }
      #expect(joined.count == theirs.count)
      let worst = zip(joined, theirs.values.array).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= bound, "\(worst)")
    }
  }

  @Test(arguments: ["default", "single-fold", "mae"], [2, 4])
  func weightsAfterSomeStepsAreThoseOfTheBatch(_ name: String, parts: Int) throws {
    try compareWeights(name, parts: parts, OracleRun(name: name).objective())
  }

  private func compareWeights<O: Objective>(_ name: String, parts: Int, _: O.Type) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-accumulation-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let models = try [1, parts].map { parts in
      let (run, views) = try run(name, parts: parts, as: O.self)
      let runFolder = RunFolder("\(folder)/\(parts)")
      try runFolder.create()
      try run.train(on: views, folder: runFolder, provenance: [:]) { _ in false }
      #expect(run.steps == 4)
      return run
    }
    for (mine, theirs) in zip(models[1].parts, models[0].parts) {
      for (a, b) in zip(mine.network.parameters, theirs.network.parameters) {
        let pairs = zip(
          withoutKeys(a.name, Array(a.values.array)), withoutKeys(b.name, Array(b.values.array)))
        let worst = pairs.map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= 1e-5, "\(mine.prefix)\(a.name) differs by \(worst)")
      }
    }
  }

  @Test func threadsDoNotChangeABit() throws {
    let all = try [1, 3].map { threads in
      let (run, views) = try run("odd", parts: 3, threads: threads)
      let losses = run.gradients(of: try run.take(views, epoch: 0), at: OracleRun.firstStep)
      return ([losses.loss] + losses.terms.map(\.value), gradients(run).map(\.values))
    }
    #expect(all[0].0 == all[1].0)
    #expect(all[0].1 == all[1].1)
  }

  /// What a step takes beside the weights shrinks with the part, down to the labels of the batch.
  @Test func memoryIsThatOfAPart() {
    let (batch, side) = (32, 32)
    var c = Configuration<PseudoMAEOptions>(
      encoder: EncoderConfiguration(image: side, patch: 4, channels: 3, width: 32, depth: 2, heads: 2))
    c.options.decoder = DecoderConfiguration(width: 32, depth: 2, heads: 2)
    c.options.head = HeadConfiguration(hidden: 32, bottleneck: 16, prototypes: 16)
    c.batch = batch
    let bytes = [1, 4, 16].map { parts in
      let engine = Engine(threads: 1, poisoning: true)
      let model = PseudoMAE(c, engine: engine)
      let weights = engine.memory.bytes
      let count = batch / parts
      _ = model.gradients(
        of: (0..<parts).map { part in
          let random = (0..<count).map {
            CounterRandom(seed: 1, epoch: 0, sample: part * count + $0, purpose: 1)
          }
          let images = ImageBatch(
            pixels: (0..<count * side * side * 3).map { UInt8(truncatingIfNeeded: $0 * 31) }, count: count, side: side,
            channels: 3, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2])
          let masks = Masks(
            samples: random, patches: c.encoder.patches, visible: c.options.visible(of: c.encoder.patches))
          return PseudoMAEImages(simple: images, complex: images, masks: masks, keeps: model.student.drawKeeps(random))
        }, at: OracleRun.firstStep)
      return engine.memory.bytes - weights
    }
    // Gradients, and of the batch its labels and the teacher's tokens.
    let kept = bytes[2]
    #expect(bytes[1] < bytes[0] / 2, "\(bytes)")
    #expect(kept < bytes[1] * 2 / 3, "\(bytes)")
  }

  @Test func partsMustDivideTheBatch() throws {
    for parts in [3, 8, 0, -1] {
      let failure = #expect(throws: Failure.self) { _ = try run("default", parts: parts) }
      #expect(failure?.kind == .usage)
      #expect(failure?.message.contains("divisor of the batch of 4, not \(parts)") == true)
    }
  }
}
