import Autodiff
import Compute
import Parallel

/// Fresh weights, MAE's and DINO's: Xavier-uniform matrices (a patch embedding as the matrix that it is), zero biases,
/// tokens and learned positions normal with deviation 0.02; norms are 1 and 0 as made.
///
/// - Parameters:
///   - seed: with the part and a weight's place in it, decides every number.
///   - part: a number for each network of a model, so that no two share numbers.
public func initialise(_ network: some Network, seed: UInt64, part: Int) {
  for (place, parameter) in network.parameters.enumerated() {
    var random = CounterRandom(seed: seed, epoch: part, sample: place, purpose: Purpose.weights.rawValue)
    if parameter.isTokens {
      fillNormal(parameter, deviation: 0.02, &random)
    } else if parameter.shape.count > 1 {
      let bound = (6 / Double(parameter.tensor.rows + parameter.tensor.columns)).squareRoot()
      parameter.values.withValues { values in
        for i in values.indices { values[i] = Float(random.uniform(in: -bound...bound)) }
      }
    }
  }
}

/// A projection head's or classifier's fresh weights: normal with deviation 0.02 (DINO), zero biases.
public func initialiseNormal(_ network: some Network, seed: UInt64, part: Int) {
  for (place, parameter) in network.parameters.enumerated() where parameter.shape.count > 1 {
    var random = CounterRandom(seed: seed, epoch: part, sample: place, purpose: Purpose.weights.rawValue)
    fillNormal(parameter, deviation: 0.02, &random)
  }
}

/// How a parameter's fresh values are drawn.
public enum Distribution: Sendable {
  case constant(Double)
  /// Normal with this deviation; what is beyond the cut, in units of values, is drawn again.
  case normal(Double, cut: Double = .infinity)
  /// Uniform between −b and b.
  case uniform(Double)

  /// PyTorch's own for a layer's weight and bias: U(±1/√inputs).
  public static func torch(inputs: Int) -> Distribution { .uniform(1 / Double(inputs).squareRoot()) }
  /// Xavier-uniform, for a weight of so many rows and columns.
  public static func xavier(_ rows: Int, _ columns: Int) -> Distribution {
    .uniform((6 / Double(rows + columns)).squareRoot())
  }

  func value(_ random: inout CounterRandom) -> Float {
    switch self {
    case .constant(let value): return Float(value)
    case .uniform(let bound): return Float(random.uniform(in: -bound...bound))
    case .normal(let deviation, let cut):
      while true {
        let value = deviation * random.normal()
        if abs(value) <= cut { return Float(value) }
      }
    }
  }
}

/// Fresh weights by a rule of one's own.
/// - Parameters:
///   - seed, part: as for `initialise(_:seed:part:)`.
///   - rule: nil for a parameter that stays as it was made.
public func initialise(
  _ network: some Network, seed: UInt64, part: Int, by rule: (Parameter) -> Distribution?
) {
  for (place, parameter) in network.parameters.enumerated() {
    guard let distribution = rule(parameter) else { continue }
    var random = CounterRandom(seed: seed, epoch: part, sample: place, purpose: Purpose.weights.rawValue)
    parameter.values.withValues { values in for i in values.indices { values[i] = distribution.value(&random) } }
  }
}

private func fillNormal(_ parameter: Parameter, deviation: Double, _ random: inout CounterRandom) {
  parameter.values.withValues { values in for i in values.indices { values[i] = Float(deviation * random.normal()) } }
}

/// What a trainer's random numbers are for; view recipes have their own numbers, far from these.
public enum Purpose: UInt32, Sendable {
  case weights = 0x7700_0001
  case mask = 0x7700_0002
  case dropPath = 0x7700_0003
  case shuffle = 0x7700_0004
  case mixing = 0x7700_0005
  case dropout = 0x7700_0006
}
