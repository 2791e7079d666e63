import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// What a run's arithmetic changes, and how much.
struct PrecisionTests {
  /// The losses of an oracle's run, without drop path.
  private func losses(
    _ name: String = "default", kernels: String? = nil, precision: Precision = .float32, parts: Int = 1,
    poisoning: Bool = false
  ) throws -> [Double] {
    let folder = FileManager.default.temporaryDirectory.path + "/pmae-precision-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let oracle = OracleRun(name: name)
    return try losses(
      oracle, oracle.objective(), in: folder,
      engine: Engine(threads: 2, kernels: kernels, precision: precision, poisoning: poisoning), parts: parts)
  }

  private func losses<O: Objective>(
    _ oracle: OracleRun, _: O.Type, in folder: String, engine: Engine, parts: Int
  ) throws -> [Double] {
    var c = try oracle.configuration(O.self)
    c.precision = engine.precision
    c.accumulate = parts
    let run = try PretrainingRun<O>(c, engine: engine)
    try run.initialise(from: StartWeights(path: oracle.start))
    try RunFolder(folder).create()
    var losses: [Double] = []
    let views = try run.views(try StreamReader(path: oracle.views))
    try run.train(on: views, folder: RunFolder(folder), provenance: [:]) { report in
      losses += [report.loss] + report.losses.terms.map(\.value)
      return false
    }
    return losses
  }

  private func expectClose(_ mine: [Double], _ theirs: [Double], relative: Double) {
    #expect(mine.count == theirs.count && mine.count > 3)
    for (a, b) in zip(mine, theirs) { #expect(abs(a - b) <= relative * abs(b), "\(a) and \(b)") }
  }

  /// On a machine that lacks some, another is compared with itself.
  @Test(arguments: OracleRun.names, ["avx2", "openblas"])
  func allKernelsAgree(_ name: String, kernels: String) throws {
    expectClose(try losses(name, kernels: kernels), try losses(name), relative: 1e-5)
  }

  /// Bounds of a run of 4 to 6 steps: a patch whose two nearest tokens are equally near may take the other's label.
  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"), arguments: OracleRun.names)
  func bfloat16IsNearFloat32(_ name: String) throws {
    let (narrow, whole) = (try losses(name, precision: .bfloat16), try losses(name))
    expectClose(narrow, whole, relative: 0.05)
    #expect(narrow != whole)
  }

  @Test(.enabled(if: BFloat16.unavailable == nil, "\(BFloat16.unavailable ?? "")"))
  func aBatchInPartsIsTheBatchInBFloat16() throws {
    let (parts, whole) = (try losses(precision: .bfloat16, parts: 4), try losses(precision: .bfloat16))
    expectClose(parts, whole, relative: 0.01)
  }

  /// Memory that is let go of is NaN then: who reads it still would say so in a loss.
  @Test(arguments: OracleRun.names, [1, 2]) func nothingIsReadThatWasLetGoOf(_ name: String, parts: Int) throws {
    for precision in [Precision.float32] + (BFloat16.unavailable == nil ? [.bfloat16] : []) {
      // A batch of 3 has no halves.
      let parts = name == "odd" ? 1 : parts
      let losses = { (poisoning: Bool) in
        try self.losses(name, precision: precision, parts: parts, poisoning: poisoning)
      }
      let (poisoned, plain) = (try losses(true), try losses(false))
      #expect(poisoned == plain)
    }
  }
}
