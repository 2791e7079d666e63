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

  /// The greatest D: time rises with its cube.
  public static let widest = 4096

  /// - Parameters:
  ///   - bank: at least two rows.
  ///   - count: directions wanted. There are fewer where the features have fewer dimensions or rows, or vary along fewer.
  /// - Throws: `Failure(.data)` where D is above `widest`, where features are not finite, or all are the same.
  public init(_ bank: Features, count: Int, source: String, engine: Engine) throws {
    let width = bank.width
    guard width <= Self.widest else {
      throw Failure(
        .data,
        "\(source): features of width \(width) cannot be whitened: expected at most \(Self.widest); smaller views "
          + "have fewer pixels (pmae-augment --size)")
    }
    guard bank.count > 1 else { throw Failure(.data, "\(source): expected two images or more to whiten features by") }
    let mean = FeatureScaling(bank, engine: engine).mean
    guard mean.allSatisfy(\.isFinite) else { throw Failure(.data, "\(source): some features are not finite") }
    let scatter = bank.values.withUnsafeBufferPointer { engine.scatter(of: $0, less: mean) }
    guard let found = leadingEigenvectors(scatter, n: width, count: min(count, width, bank.count - 1)) else {
      throw Failure(.data, "\(source): no principal components of the features were found")
    }
    // What rounding leaves of no variance at all.
    let nothing = max(found[0].value, 0) * Double(max(width, bank.count)) * .ulpOfOne
    let degrees = Double(bank.count - 1)
    directions = found.filter { $0.value > nothing }.map { value, vector in
      let scale = (degrees / value).squareRoot()
      return vector.map { $0 * scale }
    }
    self.mean = mean
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
