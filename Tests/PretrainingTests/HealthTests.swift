import Autodiff
import CKernels
import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// The figures of a run's health, against NumPy's: see Fixtures/health/make.py.
struct HealthTests {
  private static let fixture =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/health/health.safetensors"

  private func tensor(_ values: ArraySlice<Float>, columns: Int, _ engine: Engine) -> Tensor {
    let tensor = Tensor(rows: values.count / columns, columns: columns, values: engine.memory.take(values.count))
    for (i, value) in values.enumerated() { tensor.values[i] = value }
    return tensor
  }

  @Test(arguments: ["many", "few", "one", "flat"]) func figuresAreNumPys(name: String) throws {
    let record = try readTensors(path: Self.fixture)
    let labels = try #require(record[name])
    let columns = labels.shape[1]
    let values = try labels.values(of: Float.self)
    let expected = try #require(record[name + ".figures"]).values(of: Double.self)
    var first: (entropy: Double, used: Double)?
    for threads in [1, 2, 7] {
      let engine = Engine(threads: threads, poisoning: true)
      // In two parts, as a batch that is accumulated.
      let cut = labels.shape[0] / 3 * columns
      var both = LabelUse(prototypes: columns)
      both.note(tensor(values[..<cut], columns: columns, engine), engine: engine)
      both.note(tensor(values[cut...], columns: columns, engine), engine: engine)
      let use = both.shares(over: engine.ranks)
      #expect(abs(use.entropy - expected[0]) <= 2e-6, "\(use.entropy), expected \(expected[0])")
      #expect(use.used == expected[1])
      #expect(use == first ?? use)
      first = first ?? use
    }
  }

  @Test func entropyOfWhatHasNoLogarithm() {
    #expect(pmae_entropy([0, 1, 0, 0], 4) == 0)
    #expect(abs(pmae_entropy([Float(bitPattern: 7136), 1, 0], 3)) <= 1e-6)
    #expect(pmae_entropy([0.5, .nan], 2).isNaN)
    #expect(abs(pmae_entropy([Float](repeating: 1 / 64, count: 64), 64) - log(64)) <= 1e-5)
  }

  private func health(_ used: Double) -> [Figure] {
    LabelHealth(entropyC: 0.5, entropyP: 0.5, usedC: 0.8, usedP: used).figures
  }

  @Test func aCollapseIsToldOnceAnEpoch() {
    var watch = CollapseWatch(floor: 0.02, figures: PseudoMAE.figures)
    var told: [(step: Int, text: String)] = []
    for step in 1...600 {
      // Healthy from step 20 to 300, but for one step; then collapsed.
      let used = step < 20 || step > 300 || step == 200 ? 0.001 : 0.5
      if let text = watch.note(health(used), epoch: step / 200) { told.append((step, text)) }
    }
    #expect(told.map { $0.step / 200 } == [1, 2, 3])
    #expect(told[0].step > 330 && told[0].step < 400)
    #expect(told[0].text.contains("used_p 0.0") && told[0].text.contains("below 0.02"))
    #expect(!told[0].text.contains("entropy_c"))
  }

  @Test func uniformLabelsAreACollapseToo() {
    var watch = CollapseWatch(floor: 0.02, figures: PseudoMAE.figures)
    let uniform = LabelHealth(entropyC: 0.9999, entropyP: 0.95, usedC: 0.5, usedP: 0.5).figures
    let told = (0..<150).compactMap { _ in watch.note(uniform, epoch: 0) }
    #expect(told == ["the run looks collapsed: entropy_c 0.9999, above 0.998"])
  }

  @Test func withoutAFloorNothingIsTold() {
    var watch = CollapseWatch(floor: 0, figures: PseudoMAE.figures)
    for _ in 0..<300 { #expect(watch.note(health(0), epoch: 0) == nil) }
  }

  @Test func labelSchedules() throws {
    var c = try OracleRun(name: "default").configuration().options
    #expect(c.schedule(epoch: 0) == c.settledSchedule)
    #expect(c.settledSchedule.weight == 1 && c.settledSchedule.teacherTemperature == c.teacherTemperature)
    c.lambdaWarmupEpochs = 4
    c.teacherTemperature = 0.07
    c.teacherTemperatureEpochs = 2
    #expect(c.schedule(epoch: 0).weight == 0)
    #expect(c.schedule(epoch: 1).weight == 0.25)
    #expect(c.schedule(epoch: 0).teacherTemperature == 0.04)
    #expect(abs(c.schedule(epoch: 1).teacherTemperature - 0.055) < 1e-12)
    #expect(c.schedule(epoch: 2).teacherTemperature == 0.07)
    #expect(c.schedule(epoch: 4) == c.settledSchedule)
  }
}
