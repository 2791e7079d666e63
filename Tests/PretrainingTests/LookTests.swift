import Autodiff
import Compute
import Foundation
import Networks
import Pretraining
import TensorStream
import Testing

/// What a look at a run shows is what its training does.
@Suite struct LookTests {
  /// A run folder whose checkpoint is an oracle's start.
  private func withRun<R>(_ oracle: OracleRun, _ body: (RunFolder, Configuration) throws -> R) throws -> R {
    let folder = RunFolder(FileManager.default.temporaryDirectory.path + "/pmae-look-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: folder.path) }
    try folder.create()
    let start = try readTensors(path: oracle.start)
    let configuration = try oracle.configuration()
    try StreamWriter.writeOneRecord(
      path: folder.checkpoint, kind: "checkpoint", metadata: ["config": try configuration.json(), "step": "0"],
      tensors: start.tensors)
    return try body(folder, configuration)
  }

  @Test(arguments: ["default", "odd"])
  func matchesAreTheNearestTeacherTokens(name: String) throws {
    let oracle = OracleRun(name: name)
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 2, poisoning: true)
      let run = try RunModel(folder.path, engine: engine)
      let count = 3
      let look = try Look(run, StreamReader(path: oracle.views), count: count, part: nil, engine: engine)
      #expect(look.part == .labellingTeacher)
      let matches = try #require(look.matches)

      // The masks are the trainer's own.
      let training = try PretrainingRun(c, engine: engine)
      let views = try training.views(StreamReader(path: oracle.views))
      let batch = try training.take(views, epoch: 0)[0]
      #expect(Array(batch.masks.shuffle.prefix(look.masks.shuffle.count)) == look.masks.shuffle)

      // The nearest token by its definition, from the networks alone.
      let views2 = try training.views(StreamReader(path: oracle.views))
      let rows = try views2.take(count)
      let (simple, complex) = (rows.images("simple", of: views2), rows.images("complex", of: views2))
      let tape = Tape(engine, recording: false)
      let latent = run.model.student(tape, simple, ids: look.masks.visible)
      let patches = c.encoder.patches
      let all = (0..<Int32(count * (1 + patches))).map { $0 }
      let out = run.model.decoder(tape, latent, shuffle: look.masks.shuffle, sequences: count, wanted: all)
      let masked = look.masks.folded(c.labelFolds)
      let labelling = try #require(run.model.labellingTeacher)
      let teacher = labelling(tape, complex, ids: masked, sequencesPerImage: c.labelFolds)
      let m = masked.count / count
      let perFold = m / c.labelFolds
      func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for i in 0..<c.encoder.width {
          ab += Double(a[i] * b[i])
          aa += Double(a[i] * a[i])
          bb += Double(b[i] * b[i])
        }
        return ab / (aa * bb).squareRoot()
      }
      #expect(matches.count == count * m)
      for image in 0..<count {
        for place in 0..<m {
          let token = out.values(ofRow: image * (1 + patches) + 1 + Int(masked[image * m + place]))
          let cosines = (0..<m).map { other in
            let sequence = image * c.labelFolds + other / perFold
            return cosine(token, teacher.values(ofRow: sequence * (1 + perFold) + 1 + other % perFold))
          }
          let found = try #require(
            (0..<m).first { masked[image * m + $0] == matches[image * m + place] })
          #expect(cosines[found] > cosines.max()! - 1e-5)
        }
      }
      // Not each its own place, or the test could not tell.
      #expect(matches != masked)
    }
  }

  /// `--match position`: nothing is searched for.
  @Test func aMatchByPositionIsThePatchItself() throws {
    let oracle = OracleRun(name: "single-fold")
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 1, poisoning: true)
      let run = try RunModel(folder.path, engine: engine)
      let look = try Look(run, StreamReader(path: oracle.views), count: 2, part: nil, engine: engine)
      #expect(c.match == .position && look.matches == look.masks.folded(c.labelFolds))
    }
  }

  @Test func foldsAreThoseOfTheTeacher() throws {
    let oracle = OracleRun(name: "odd")
    try withRun(oracle) { folder, c in
      let engine = Engine(threads: 1, poisoning: true)
      let look = try Look(
        try RunModel(folder.path, engine: engine), StreamReader(path: oracle.views), count: 2, part: .student,
        engine: engine)
      for image in 0..<2 {
        let folds = look.folds(image: image)
        #expect(folds.filter { $0 == -1 }.count == c.visible)
        for fold in 0..<c.labelFolds {
          #expect(folds.filter { $0 == fold }.count == c.masked / c.labelFolds)
        }
        #expect(folds.filter { $0 == c.labelFolds }.count == c.masked % c.labelFolds)
        let own = look.masks.folded(c.labelFolds)[image * look.matchedCount..<(image + 1) * look.matchedCount]
        #expect(folds[Int(own.first!)] == 0 && folds[Int(own.last!)] == c.labelFolds - 1)
      }
    }
  }

  @Test func maeHasNoTeacherAndNoMatch() throws {
    let oracle = OracleRun(name: "mae")
    try withRun(oracle) { folder, _ in
      let engine = Engine(threads: 1, poisoning: true)
      let run = try RunModel(folder.path, engine: engine)
      let look = try Look(run, StreamReader(path: oracle.views), count: 2, part: nil, engine: engine)
      #expect(look.part == .student && look.matches == nil && look.complex == nil)
      let failure = #expect(throws: Failure.self) { try run.encoder(.labellingTeacher) }
      #expect(failure?.message == "\(folder.checkpoint): has no labelling-teacher, only student")
    }
  }

  @Test func aRunWithoutACheckpointAndTooManyRowsAreErrors() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-look-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let engine = Engine(threads: 1, poisoning: true)
    let failure = #expect(throws: Failure.self) { try RunModel(folder, engine: engine) }
    #expect(failure?.message.contains("a run without a checkpoint") == true)
    #expect(failure?.kind == .noInput)
    let oracle = OracleRun(name: "default")
    try withRun(oracle) { folder, _ in
      let run = try RunModel(folder.path, engine: engine)
      let failure = #expect(throws: Failure.self) {
        try Look(run, StreamReader(path: oracle.views), first: 1 << 20, count: 1, part: nil, engine: engine)
      }
      #expect(failure?.message.contains("there is no row 1,048,576") == true)
    }
  }
}

/// metrics.jsonl as curves.
@Suite struct CurvesTests {
  private func run(_ lines: String, under name: String = "") throws -> RunMetrics {
    let root = FileManager.default.temporaryDirectory.path + "/pmae-curves-\(UUID().uuidString)"
    let folder = root + name
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try lines.write(toFile: folder + "/metrics.jsonl", atomically: true, encoding: .utf8)
    return try RunMetrics(folder)
  }

  @Test func whatIsThereIsDrawnAndWhatIsNotIsNamed() throws {
    let lines = (1...5).map { #"{"step":\#($0),"epoch":0,"loss":\#(6 - $0),"loss_m":0.5,"lr":0.001,"entropy_c":0.9}"# }
    let curves = Curves([try run(lines.joined(separator: "\n") + "\n")])
    let script = try curves.gnuplotScript()
    #expect(script.contains("3.0 3.0\n") && script.contains("title 'loss_m'") && script.contains("title 'entropy_c'"))
    #expect(!script.contains("epoch") && !script.contains("weight of the label losses"))
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
