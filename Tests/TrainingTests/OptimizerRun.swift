import Autodiff
import Compute
import Networks
import TensorStream
import Testing
import Training

/// Steps of an optimiser beside those of another program.
enum OptimizerRun {
  /// Parameters with the weights `start.NAME` of a fixture.
  static func parameters(_ names: [String], from file: Record, engine: Engine) throws -> [Parameter] {
    try names.map { name in
      let start = try #require(file["start." + name])
      let parameter = Parameter(name, shape: start.shape, engine: engine, trained: true)
      for (i, value) in try start.values(of: Float.self).enumerated() { parameter.values[i] = value }
      return parameter
    }
  }

  /// Takes the fixture's steps by `gradient.STEP.NAME` and `rates`, and compares the weights after each with `STEPS.STEP.NAME`.
  static func hold(
    _ optimizer: any Optimizer, of parameters: [Parameter], to file: Record, steps: String, within tolerance: Float,
    engine: Engine
  ) throws {
    func values(_ name: String) throws -> [Float] { try #require(file[name], "\(name)").values(of: Float.self) }
    for (step, rate) in try #require(file["rates"]).values(of: Double.self).enumerated() {
      for parameter in parameters {
        let gradient = try values("gradient.\(step).\(parameter.name)")
        // No gradient counts as one of zero.
        if gradient.contains(where: { $0 != 0 }) { try set(parameter.tensor, engine, gradient: gradient) }
      }
      #expect(optimizer.firstNonFiniteGradient() == nil)
      optimizer.step(rate: rate)
      #expect(optimizer.steps == step + 1)
      for parameter in parameters {
        #expect(parameter.tensor.gradient == nil, "the gradient was taken")
        for (mine, theirs) in zip(parameter.tensor.array, try values("\(steps).\(step).\(parameter.name)")) {
          #expect(abs(mine - theirs) <= tolerance * max(1, abs(theirs)), "\(parameter.name) after step \(step + 1)")
        }
      }
    }
  }
}

/// Gives a tensor a gradient.
func set(_ tensor: Tensor, _ engine: Engine, gradient: [Float]) throws {
  tensor.setZeroGradient(engine)
  let buffer = try #require(tensor.gradient)
  for (i, value) in gradient.enumerated() { buffer.values[i] = value }
}
