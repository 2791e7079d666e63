import Autodiff
import Compute
import Foundation
import Inspection
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// What a look at a run shows is what its training does.
@Suite struct LookTests {
  /// A run folder whose checkpoint is an oracle's start.
  private func withRun<O: Objective>(
    _ oracle: OracleRun, as _: O.Type = PseudoMAE.self, _ body: (RunFolder, Configuration<O.Options>) throws -> Void
  ) throws {
    let folder = RunFolder(FileManager.default.temporaryDirectory.path + "/pmae-look-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    let run = try PretrainingRun<O>(oracle.configuration(O.self), engine: Engine(threads: 1))
    try run.initialise(from: StartWeights(path: oracle.start))
    try folder.create()
    try run.train(on: try run.views(StreamReader(path: oracle.views)), folder: folder, limit: 0, provenance: [:]) { _ in
      false
    }
    try body(folder, run.configuration)
  }

  private func model<O: Objective>(_ folder: RunFolder, _: O.Type = PseudoMAE.self, engine: Engine) throws -> RunModel<
    O
  > {
    try RunModel<O>(CheckpointFile.at(folder.path) { _ in }, engine: engine)
  }

  private func matchedPairs(_ look: Look) -> [[(patch: Int, place: Int)]]? {
    for case .matches(_, _, _, let pairs) in look.panels { return pairs }
    return nil
  }

  private func groups(_ look: Look) -> [Int] {
    for case .groups(_, let groups, _) in look.panels { return groups }
    return []
  }

  @Test(arguments: ["default", "odd"])
  func matchesAreTheNearestTeacherTokens(name: String) throws {
    let oracle = OracleRun(name: name)
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 2, poisoning: true)
      let run = try model(folder, engine: engine)
      let count = 3
      let look = try Look(run, StreamReader(path: oracle.views), count: count, part: nil, engine: engine)
      #expect(look.part.name == "student")
      let pairs = try #require(matchedPairs(look))

      // The masks are the trainer's own.
      let training = try PretrainingRun<PseudoMAE>(c, engine: engine)
      let views = try training.views(StreamReader(path: oracle.views))
      let batch = try training.take(views, epoch: 0)[0]
      let masks = Masks(
        shuffle: Array(batch.masks.shuffle.prefix(count * c.encoder.patches)), sequences: count,
        visible: batch.masks.visibleCount)
      #expect(groups(look) == masks.groups(folds: c.options.labelFolds))

      // The nearest token by its definition, from the networks alone.
      let views2 = try training.views(StreamReader(path: oracle.views))
      let rows = try views2.take(count)
      let (simple, complex) = (rows.images("simple", of: views2), rows.images("complex", of: views2))
      let tape = Tape(engine, recording: false)
      let latent = run.objective.student(tape, simple, ids: masks.visible)
      let patches = c.encoder.patches
      let all = (0..<Int32(count * (1 + patches))).map { $0 }
      let out = run.objective.decoder(tape, latent, shuffle: masks.shuffle, sequences: count, wanted: all)
      let folds = c.options.labelFolds
      let masked = masks.folded(folds)
      let teacher = run.objective.labellingTeacher(tape, complex, ids: masked, sequencesPerImage: folds)
      let m = masked.count / count
      let perFold = m / folds
      func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for i in 0..<c.encoder.width {
          ab += Double(a[i] * b[i])
          aa += Double(a[i] * a[i])
          bb += Double(b[i] * b[i])
        }
        return ab / (aa * bb).squareRoot()
      }
      for image in 0..<count {
        #expect(pairs[image].map { Int32($0.patch) } == Array(masked[image * m..<(image + 1) * m]))
        for (patch, place) in pairs[image] {
          let token = out.values(ofRow: image * (1 + patches) + 1 + patch)
          let cosines = (0..<m).map { other in
            let sequence = image * folds + other / perFold
            return cosine(token, teacher.values(ofRow: sequence * (1 + perFold) + 1 + other % perFold))
          }
          let found = try #require((0..<m).first { Int(masked[image * m + $0]) == place })
          #expect(cosines[found] > cosines.max()! - 1e-5)
        }
      }
      // Not each its own place, or the test could not tell.
      #expect(pairs.joined().contains { $0.patch != $0.place })
    }
  }

  /// `--match position`: nothing is searched for.
  @Test func aMatchByPositionIsThePatchItself() throws {
    let oracle = OracleRun(name: "single-fold")
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 1, poisoning: true)
      let look = try Look(
        try model(folder, engine: engine), StreamReader(path: oracle.views), count: 2, part: nil, engine: engine)
      #expect(c.options.match == .position)
      #expect(try #require(matchedPairs(look)).joined().allSatisfy { $0.patch == $0.place })
    }
  }

  @Test func foldsAreThoseOfTheTeacher() throws {
    let oracle = OracleRun(name: "odd")
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 1, poisoning: true)
      let look = try Look(
        try model(folder, engine: engine), StreamReader(path: oracle.views), count: 2, part: "student", engine: engine)
      let patches = c.encoder.patches
      let (visible, folds) = (c.options.visible(of: patches), c.options.labelFolds)
      let masked = patches - visible
      for image in 0..<2 {
        let groups = groups(look)[image * patches..<(image + 1) * patches]
        #expect(groups.filter { $0 == -1 }.count == visible)
        for fold in 0..<folds { #expect(groups.filter { $0 == fold }.count == masked / folds) }
        #expect(groups.filter { $0 == folds }.count == masked % folds)
      }
    }
  }

  @Test func maeHasNoTeacherAndNoMatch() throws {
    let oracle = OracleRun(name: "mae")
    try withRun(oracle, as: MAE.self) { folder, _ in
      let engine = Engine(threads: 1, poisoning: true)
      let run = try model(folder, MAE.self, engine: engine)
      let look = try Look(run, StreamReader(path: oracle.views), count: 2, part: nil, engine: engine)
      #expect(look.part.name == "student" && matchedPairs(look) == nil && look.views.count == 1)
      let failure = #expect(throws: Failure.self) { try run.encoder("labelling-teacher") }
      #expect(failure?.message == "\(folder.checkpoint): has no labelling-teacher, only student")
    }
  }

  @Test func aRunWithoutACheckpointAndTooManyRowsAreErrors() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-look-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let engine = Engine(threads: 1, poisoning: true)
    let failure = #expect(throws: Failure.self) { try CheckpointFile.at(folder) { _ in } }
    #expect(failure?.message.contains("a run without a checkpoint") == true)
    #expect(failure?.kind == .noInput)
    let oracle = OracleRun(name: "default")
    try withRun(oracle) { folder, _ in
      let run = try model(folder, engine: engine)
      let failure = #expect(throws: Failure.self) {
        try Look(run, StreamReader(path: oracle.views), first: 1 << 20, count: 1, part: nil, engine: engine)
      }
      #expect(failure?.message.contains("there is no row 1,048,576") == true)
    }
  }
}

/// metrics.jsonl as curves.
@Suite struct CurvesTests {
  private func run(_ lines: String, under name: String = "", objective: String? = "pseudo-mae") throws -> RunMetrics {
    let root = FileManager.default.temporaryDirectory.path + "/pmae-curves-\(UUID().uuidString)"
    let folder = root + name
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try lines.write(toFile: folder + "/metrics.jsonl", atomically: true, encoding: .utf8)
    let configuration = objective.map { "{\"objective\":\"\($0)\"}" } ?? "{}"
    try configuration.write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    return try RunMetrics(folder)
  }

  @Test func whatIsThereIsDrawnAndWhatIsNotIsNamed() throws {
    let lines = (1...5).map { #"{"step":\#($0),"epoch":0,"loss":\#(6 - $0),"loss_m":0.5,"lr":0.001,"entropy_c":0.9}"# }
    let curves = try Curves([try run(lines.joined(separator: "\n") + "\n")])
    let script = try curves.gnuplotScript()
    #expect(script.contains("3.0 3.0\n") && script.contains("title 'loss_m'") && script.contains("title 'entropy_c'"))
    #expect(!script.contains("title 'epoch'") && !script.contains("weight of the label losses"))
    let ramp = #"{"step":1,"loss":1,"label_weight":0.25,"teacher_temperature":0.04}"# + "\n"
    let ramps = try Curves([try run(ramp)]).gnuplotScript()
    #expect(ramps.contains("title 'label_weight'") && ramps.contains("title 'teacher_temperature'"))
    #expect(curves.missing == ["momenta", "share of prototypes in use", "cosine of teacher and student"])
  }

  @Test func severalRunsHaveTheNamesThatTellThemApart() throws {
    let line = #"{"step":1,"loss":2}"# + "\n"
    let script = try Curves(["mae", "sdae"].map { try run(line, under: "/\($0)/seed0/run") }).gnuplotScript()
    #expect(script.contains("/mae loss'") && script.contains("/sdae loss'") && !script.contains("seed0"))
  }

  @Test func manyStepsAreMeansOfEquallyMany() throws {
    let lines = (0..<2000).map { #"{"step":\#($0),"loss":\#($0 % 4)}"# + "\n" }
    let points = try run(lines.joined()).points("loss", limit: 500)
    #expect(points.count == 500)
    #expect(points.allSatisfy { $0.value == 1.5 } && points[1].step == 5.5)
  }

  @Test func aLineBeingWrittenIsPassedOverAndABrokenOneIsNamed() throws {
    let whole = #"{"step":1,"loss":2}"# + "\n"
    #expect(try run(whole + #"{"step":2,"lo"#).series["loss"]?.count == 1)
    let failure = #expect(throws: Failure.self) { try run(whole + "{\n" + whole) }
    #expect(failure?.message.hasSuffix("metrics.jsonl: line 2: expected a JSON object with a step") == true)
  }
}
