import Compute

/// Xᵀ X of features without their mean, and what it says of the Hessian of logistic regression.
struct Covariance {
  private enum Values {
    /// [D, D].
    case whole([Double])
    /// [D], its diagonal alone, where D is so large that factors of the whole would take longer than they save.
    case diagonal([Double])
  }

  private let values: Values
  private let width: Int
  private static let widest = 2048

  init(_ features: Buffer, rows: Int, width: Int, engine: Engine) {
    self.width = width
    let matrix = features.matrix(rows: rows, columns: width)
    if width <= Self.widest {
      let product = engine.memory.take(width * width)
      engine.multiply(matrix, matrix, into: product.matrix(rows: width, columns: width), transposing: .left)
      values = .whole(product.withValues { $0.map(Double.init) })
    } else {
      var squares = [Double](repeating: 0, count: width)
      for r in 0..<rows {
        let row = matrix.row(r)
        for c in 0..<width { squares[c] += Double(row[c]) * Double(row[c]) }
      }
      values = .diagonal(squares)
    }
  }

  /// A guess of the Hessian: for each class a Xᵀ X + λ, and a n for its intercept, where a stands for p (1 − p).
  struct Metric {
    fileprivate enum Factor {
      case cholesky(Cholesky)
      case diagonal([Double])
    }

    fileprivate let factor: Factor
    fileprivate let width: Int
    fileprivate let classes: Int
    /// Of an intercept.
    fileprivate let constant: Double

    /// The guess's inverse times a vector of weights [K, D] and intercepts [K].
    func solved(_ vector: [Double]) -> [Double] {
      var vector = vector
      switch factor {
      case .cholesky(let factor): factor.solve(&vector, count: classes)
      case .diagonal(let diagonal):
        for c in 0..<classes { for i in 0..<width { vector[c * width + i] /= diagonal[i] } }
      }
      for c in 0..<classes { vector[classes * width + c] /= constant }
      return vector
    }
  }

  /// - Parameter spread: the mean of p (1 − p).
  func metric(spread: Double, penalty: Double, rows: Int, classes: Int) -> Metric {
    let spread = max(spread, 1e-4)
    func metric(_ factor: Metric.Factor) -> Metric {
      Metric(factor: factor, width: width, classes: classes, constant: spread * Double(rows))
    }
    switch values {
    case .diagonal(let squares): return metric(.diagonal(squares.map { spread * $0 + penalty }))
    case .whole(let products):
      var ridge = penalty
      for _ in 0..<30 {
        var matrix = products.map { spread * $0 }
        for i in 0..<width { matrix[i * width + i] += ridge }
        if let factor = Cholesky(matrix, n: width) { return metric(.cholesky(factor)) }
        // Rounding of the products has made it indefinite.
        ridge *= 10
      }
      return metric(.diagonal((0..<width).map { spread * products[$0 * width + $0] + penalty }))
    }
  }
}
