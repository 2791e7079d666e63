import Compute
import Foundation
import Networks
import Pretraining
import Runs
import Schemas
import TensorStream
import Testing
import Training

/// The first step's gradients against PyTorch's.
struct GradientTests {
  @Test(arguments: ["default", "mae", "pixels", "odd"] + OracleRun.methods)
  func everyGradientAgreesWithTheOracle(_ name: String) throws {
    let oracle = OracleRun(name: name)
    try compare(oracle, objective: oracle.objective())
  }

  private func compare<O: Objective>(_ oracle: OracleRun, objective: O.Type) throws {
    let run = try PretrainingRun<O>(try oracle.configuration(O.self), engine: Engine(threads: 2, poisoning: true))
    try run.initialise(from: StartWeights(path: oracle.start))
    let views = try run.views(try StreamReader(path: oracle.views))
    let losses = run.gradients(of: try run.take(views, epoch: 0), at: OracleRun.firstStep)
    let expected = try oracle.expected()
    let loss = Double(try #require(try expected["loss"]?.values(of: Float.self).first))
    #expect(abs(losses.loss - loss) <= 1e-5 * loss)

    var compared = 0
    for (name, parameter) in run.parts.trained.map({ ($0.name, $0.parameter) }) {
      let theirs = try #require(try expected["grad." + name]?.values(of: Float.self), "\(name)")
      let gradient = try #require(parameter.tensor.gradient, "\(name)")
      let own = (0..<parameter.tensor.count).map { gradient.values[$0] }
      #expect(own.count == theirs.count)
      let (mine, reference) = (
        oracle.decided(name, own).map(Double.init), oracle.decided(name, theirs).map(Double.init)
      )
      let norm = reference.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let distance = zip(mine, reference).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(distance <= 1e-4 * norm, "\(name): \(distance / norm) of its norm")
      compared += 1
    }
    #expect(compared == expected.tensors.filter { $0.name.hasPrefix("grad.") }.count)
  }

  @Test func noGradientReachesATeacher() throws {
    let oracle = OracleRun(name: "default")
    let run = try PretrainingRun<PseudoMAE>(try oracle.configuration(), engine: Engine(threads: 1, poisoning: true))
    let views = try run.views(try StreamReader(path: oracle.views))
    _ = run.gradients(of: try run.take(views, epoch: 0), at: OracleRun.firstStep)
    for part in run.parts where part.prefix.contains("teacher") || part.prefix.contains("labelling") {
      #expect(part.network.parameters.allSatisfy { $0.tensor.gradient == nil }, "\(part.prefix)")
    }
  }
}
