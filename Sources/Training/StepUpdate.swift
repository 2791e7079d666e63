/// How an optimiser takes one step, its rate aside.
public struct StepUpdate: Sendable {
  /// The decay of this step; nil for the optimiser's own.
  public var weightDecay: Double?
  /// What gradients are limited to; nil for no limit.
  public var clip: GradientClip?
  /// Parameters that are not trained in the first steps of the run, by name, with how many steps these are. Until then
  /// they have no decay and no moments. From then on their moments are corrected for the steps that they took themselves.
  public var frozen: [String: Int]

  public init(weightDecay: Double? = nil, clip: GradientClip? = nil, frozen: [String: Int] = [:]) {
    (self.weightDecay, self.clip, self.frozen) = (weightDecay, clip, frozen)
  }
}

/// A limit for the length of gradients. What is longer is scaled down to it.
public enum GradientClip: Equatable, Sendable {
  /// All gradients as one vector.
  case whole(Double)
  /// Each parameter's by itself.
  case each(Double)

  /// What each gradient is multiplied by (PyTorch's `clip_grad_norm_`).
  /// - Parameter squares: the sum of squares of each.
  func factors(_ squares: [Double]) -> [Float] {
    switch self {
    case .whole(let limit):
      let factor = Self.factor(limit, squares.reduce(0, +))
      return squares.map { _ in factor }
    case .each(let limit): return squares.map { Self.factor(limit, $0) }
    }
  }

  private static func factor(_ limit: Double, _ square: Double) -> Float {
    Float(min(1, limit / (square.squareRoot() + 1e-6)))
  }
}
