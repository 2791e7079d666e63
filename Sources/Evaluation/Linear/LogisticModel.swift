/// What multinomial logistic regression learns: logits = x Wᵀ + b.
public struct LogisticModel: Sendable {
  /// K.
  public let classes: Int
  /// D.
  public let width: Int
  /// W [K, D].
  public internal(set) var weights: [Double]
  /// b [K].
  public internal(set) var intercepts: [Double]
  /// The sum of cross-entropies and the penalty, at the end.
  public internal(set) var objective = 0.0
  /// Passes over the data.
  public internal(set) var iterations = 0
  /// Whether the objective is as near to the least as was asked for, or as float32 products let it be.
  public internal(set) var hasConverged = false

  init(classes: Int, width: Int) {
    (self.classes, self.width) = (classes, width)
    weights = [Double](repeating: 0, count: classes * width)
    intercepts = [Double](repeating: 0, count: classes)
  }
}
