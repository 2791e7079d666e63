import Compute
import Foundation
import Networks
import Pretraining
import TensorStream
import Testing

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
    var c = try oracle.configuration()
    c.precision = precision
    c.accumulate = parts
    let run = try PretrainingRun(
      c, engine: Engine(threads: 2, kernels: kernels, precision: precision, poisoning: poisoning))
    try run.initialise(from: oracle.start)
    try RunFolder(folder).create()
    var losses: [Double] = []
    let views = try run.views(try StreamReader(path: oracle.views))
    try run.train(on: views, folder: RunFolder(folder), limit: nil, metadata: [:]) { report in
      losses += [report.loss, report.m] + [report.c, report.p].compactMap { $0 }
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

  /// A checkpoint from before there was a choice can be resumed.
  @Test func aConfigurationFromBeforeIsFloat32() throws {
    let c = try OracleRun(name: "default").configuration()
    let now = try c.json()
    let before = now.replacingOccurrences(of: "\"precision\":\"float32\",", with: "")
    #expect(before != now)
    let old = try Configuration(json: before, source: "before")
    #expect(old == c)
    var other = c
    other.precision = .bfloat16
    #expect(try Configuration(json: other.json(), source: "after") == other)
    #expect(try other.differences(from: old) == ["precision bfloat16, not float32"])
  }
}
