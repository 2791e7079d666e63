import Compute
import Networks
import TensorStream
import Training

/// The directions of greatest variance of the features that a measure learns from, each divided by its deviation, and what they make
/// of any features: scikit-learn's `PCA(whiten=True)`. Features of a transformer lie mostly along a few directions. A cosine sees
/// these alone, until each counts the same (Jégou and Chum, 2012, whiten descriptors for that reason).
public struct FeatureWhitening: Sendable {
  /// [D].
  let mean: [Double]
  /// [d, D]: a direction by the inverse of its deviation, a row.
  let directions: [[Double]]

  /// The side of the greatest matrix whose eigenvectors are looked for: time rises with its cube. So many directions there are at most.
  public static let widest = 4096

  /// - Parameters:
  ///   - bank: at least two rows.
  ///   - count: directions wanted. There are fewer where the features have fewer dimensions or rows, or vary along fewer.
  ///   - widest: where D is above it, the directions are those of so many rows, spread evenly.
  /// - Throws: `Failure(.data)` where features are not finite, or all are the same.
  public init(
    _ bank: Features, count: Int, source: String, engine: Engine, widest: Int = FeatureWhitening.widest
  ) throws {
    let width = bank.width
    guard bank.count > 1 else { throw Failure(.data, "\(source): expected two images or more to whiten features by") }
    let mean = FeatureScaling(bank, engine: engine).mean
    guard mean.allSatisfy(\.isFinite) else { throw Failure(.data, "\(source): some features are not finite") }
    self.mean = mean
    let isWide = width > widest
    let used = isWide ? min(bank.count, widest) : bank.count
    let rows = (0..<used).map { $0 * bank.count / used }
    let found = bank.values.withUnsafeBufferPointer { values in
      isWide
        ? leadingEigenvectors(
          engine.gram(of: values, rows: rows, less: mean), n: used, count: min(count, used - 1))
        : leadingEigenvectors(
          engine.scatter(of: values, less: mean), n: width, count: min(count, width, used - 1))
    }
    guard let found else { throw Failure(.data, "\(source): no principal components of the features were found") }
    // What rounding leaves of no variance at all.
    let nothing = max(found[0].value, 0) * Double(max(width, used)) * .ulpOfOne
    let kept = found.filter { $0.value > nothing }
    let degrees = Double(used - 1)
    // A vector of the scatter is a direction. One of the products of rows says what each row adds to a direction, whose length is
    // the root of its value.
    let scaled = kept.map { value, vector in
      let scale = isWide ? degrees.squareRoot() / value : (degrees / value).squareRoot()
      return vector.map { $0 * scale }
    }
    directions =
      isWide
      ? bank.values.withUnsafeBufferPointer { engine.sums(of: $0, rows: rows, less: mean, weights: scaled) } : scaled
    guard !directions.isEmpty else { throw Failure(.data, "\(source): all features are the same") }
  }

  /// d.
  public var width: Int { directions.count }

  /// [n, D] -> [n, d], with the labels and names of the rows.
  public func callAsFunction(_ features: Features, engine: Engine) -> Features {
    precondition(features.width == mean.count)
    let (rows, width, block) = (features.count, features.width, 1024)
    let weights = engine.memory.take(self.width * width)
    weights.withValues { weights in
      for (k, direction) in directions.enumerated() {
        for c in 0..<width { weights[k * width + c] = Float(direction[c]) }
      }
    }
    let centred = engine.memory.take(block * width)
    let product = engine.memory.take(block * self.width)
    var whitened: [Float] = []
    whitened.reserveCapacity(rows * self.width)
    for start in stride(from: 0, to: rows, by: block) {
      let n = min(block, rows - start)
      centred.withValues { centred in
        for i in 0..<n {
          for c in 0..<width {
            centred[i * width + c] = Float(Double(features.values[(start + i) * width + c]) - mean[c])
          }
        }
      }
      engine.multiply(
        centred.matrix(rows: n, columns: width), weights.matrix(rows: self.width, columns: width),
        into: product.matrix(rows: n, columns: self.width), transposing: .right)
      product.withValues { whitened.append(contentsOf: $0[..<(n * self.width)]) }
    }
    return features.replacing(values: whitened, width: self.width)
  }
}
