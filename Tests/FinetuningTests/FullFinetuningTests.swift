import Compute
import Finetuning
import Foundation
import Networks
import Runs
import Schemas
import TensorStream
import Testing
import Training

@Suite struct FullFinetuningTests {
  let fixture: FinetuneFixture

  init() throws { fixture = try FinetuneFixture() }

  @Test(arguments: [Pooling.classToken, .mean])
  func agreesWithPyTorch(pooling: Pooling) throws {
    let run = try fixture.run(fixture.configuration(pooling))
    var losses: [Double] = []
    let outcome = try run.train(on: fixture.views()) { report in
      losses.append(report.loss)
      return false
    }
    #expect(outcome.isComplete)
    let theirs = try fixture.values("\(pooling.rawValue).loss").map(Double.init)
    #expect(losses.count == theirs.count)
    for (mine, other) in zip(losses, theirs) { #expect(abs(mine - other) < 1e-5 * other) }
    for parameter in run.task.classifier.parameters {
      var mine = Array(parameter.values.array)
      var other = try fixture.values("\(pooling.rawValue).final.\(parameter.name)")
      if parameter.name.hasSuffix("qkv.bias") {
        // A constant added to all keys changes nothing: its gradient is rounding, which Adam blows up.
        for third in [12..<24] { (mine[third], other[third]) = ([], []) }
      }
      let distance = zip(mine, other).map { abs($0 - $1) }.max() ?? 0
      #expect(distance < 1e-5, "\(parameter.name)")
    }
  }

  @Test func threadsDoNotChangeABit() throws {
    var c = fixture.configuration(.mean)
    c.dropPath = 0.5
    let weights = try [1, 2].map { threads in
      let run = try fixture.run(c, threads: threads)
      _ = try run.train(on: fixture.views()) { _ in false }
      return run.task.classifier.parameters.flatMap { Array($0.values.array) }
    }
    #expect(weights[0] == weights[1])
  }

  /// A batch in parts is the batch, drop path and label smoothing included.
  @Test(arguments: [Pooling.classToken, .mean], [2, 4])
  func partsAddUpToTheBatch(pooling: Pooling, parts: Int) throws {
    var c = fixture.configuration(pooling)
    c.batch = 4
    c.dropPath = 0.5
    let runs = try [1, parts].map { parts in
      c.accumulate = parts
      let run = try fixture.run(c)
      var reports: [StepReport] = []
      _ = try run.train(on: fixture.views()) { report in
        reports.append(report)
        return false
      }
      return (run, reports)
    }
    #expect(runs[1].1.count == 6)
    for (mine, theirs) in zip(runs[1].1, runs[0].1) {
      // Later losses are of weights that rounding has moved already.
      #expect(abs(mine.loss - theirs.loss) <= (mine.step == 1 ? 1e-6 : 1e-5) * theirs.loss)
      #expect(mine["accuracy"] == theirs["accuracy"])
      #expect(mine.learningRate == theirs.learningRate)
    }
    for (mine, theirs) in zip(runs[1].0.task.classifier.parameters, runs[0].0.task.classifier.parameters) {
      let isKey = { (i: Int) in mine.name.hasSuffix("qkv.bias") && (12..<24).contains(i) }
      let distances = (0..<mine.tensor.count).filter { !isKey($0) }.map {
        abs(mine.tensor.values[$0] - theirs.tensor.values[$0])
      }
      #expect(distances.max() ?? 0 < 1e-5, "\(mine.name)")
    }
  }

  @Test func dropPathChangesWhatIsLearnt() throws {
    let weights = try [0, 0.5].map { rate in
      var c = fixture.configuration(.mean)
      c.dropPath = rate
      let run = try fixture.run(c)
      _ = try run.train(on: fixture.views()) { _ in false }
      return run.task.classifier.parameters.flatMap { Array($0.values.array) }
    }
    #expect(weights[0] != weights[1])
  }

  @Test func stopsWhereItIsTold() throws {
    let run = try fixture.run(fixture.configuration(.mean))
    var steps = 0
    #expect(
      try run.train(on: fixture.views(), limit: 4) {
        steps = $0.step; return false
      }.isComplete)
    #expect(steps == 4)
    let stopped = try fixture.run(fixture.configuration(.mean))
    #expect(try !stopped.train(on: fixture.views()) { $0.step == 2 }.isComplete)
  }

  @Test func layersLearnAtRatesOfTheirOwn() {
    #expect(rateScale(of: "head.weight", depth: 2, decay: 0.5) == 1)
    #expect(rateScale(of: "norm.bias", depth: 2, decay: 0.5) == 1)
    #expect(rateScale(of: "blocks.1.attn.qkv.weight", depth: 2, decay: 0.5) == 0.5)
    #expect(rateScale(of: "blocks.0.norm1.weight", depth: 2, decay: 0.5) == 0.25)
    #expect(rateScale(of: "cls_token", depth: 2, decay: 0.5) == 0.125)
    #expect(rateScale(of: "patch_embed.proj.weight", depth: 2, decay: 0.5) == 0.125)
  }

  @Test func whatCannotBeTrainedIsAnError() throws {
    var large = fixture.configuration(.mean)
    large.batch = 9
    let few = #expect(throws: Failure.self) {
      _ = try fixture.run(large).train(on: fixture.views()) { _ in false }
    }
    #expect(few?.message.contains("an epoch of 8 images is fewer than a batch of 9") == true)
    var long = fixture.configuration(.mean)
    long.epochs = 4
    let short = #expect(throws: Failure.self) {
      _ = try fixture.run(long).train(on: fixture.views()) { _ in false }
    }
    #expect(short?.message.contains("holds epochs 0 to 2, but the run needs epochs 0 to 3") == true)
    var steep = fixture.configuration(.mean)
    steep.learningRate = 1e30
    let nan = #expect(throws: Failure.self) {
      _ = try fixture.run(steep).train(on: fixture.views()) { _ in false }
    }
    #expect(nan?.message.contains("the last checkpoint stays as it was") == true)
  }
}
