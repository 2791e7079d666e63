/// L-BFGS's picture of the inverse Hessian: the last steps and how the gradient changed over each, on top of a first guess.
///
/// Nocedal & Wright, Numerical Optimization, 2nd edition, algorithm 7.4.
struct LimitedMemory {
  private struct Pair {
    let step: [Double]
    let change: [Double]
    /// stepᵀ change, above 0.
    let product: Double
  }

  private let metric: Covariance.Metric
  private var pairs: [Pair] = []
  /// What the guess is multiplied by, so that it fits the last pair.
  private var scale = 1.0
  private static let most = 40

  init(_ metric: Covariance.Metric) { self.metric = metric }

  var isEmpty: Bool { pairs.isEmpty }

  mutating func forget() {
    pairs = []
    scale = 1
  }

  /// Takes a pair; one that rounding has bent is left out.
  mutating func add(step: [Double], change: [Double]) {
    let product = dot(step, change)
    guard product > 1e-14 * (dot(step, step) * dot(change, change)).squareRoot(), product.isFinite else { return }
    pairs.append(Pair(step: step, change: change, product: product))
    if pairs.count > Self.most { pairs.removeFirst() }
    scale = product / dot(change, metric.solved(change))
  }

  /// Where to go from a place with this gradient.
  func direction(for gradient: [Double]) -> [Double] {
    var q = gradient
    var shares = [Double](repeating: 0, count: pairs.count)
    for (i, pair) in pairs.enumerated().reversed() {
      shares[i] = dot(pair.step, q) / pair.product
      for j in q.indices { q[j] -= shares[i] * pair.change[j] }
    }
    q = metric.solved(q)
    for j in q.indices { q[j] *= scale }
    for (i, pair) in pairs.enumerated() {
      let share = shares[i] - dot(pair.change, q) / pair.product
      for j in q.indices { q[j] += share * pair.step[j] }
    }
    for j in q.indices { q[j] = -q[j] }
    return q
  }
}
