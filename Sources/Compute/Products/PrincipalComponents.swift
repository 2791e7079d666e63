/// The first principal components of some features.
/// - Parameters:
///   - features: [R, D], R at least 1.
///   - count: components wanted; where there are fewer than that many dimensions, the others are zero.
/// - Returns: for each row its coordinates, [R, count]: of the row less the mean, along the directions of greatest variance. A direction's
///   sign is the one that makes its greatest weight positive. nil where a feature is not finite.
public func principalComponents(_ features: [[Float]], count: Int) -> [[Double]]? {
  guard let width = features.first?.count, features.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
  let n = Double(features.count)
  var mean = [Double](repeating: 0, count: width)
  for row in features { for i in 0..<width { mean[i] += Double(row[i]) / n } }
  let centred = features.map { row in (0..<width).map { Double(row[$0]) - mean[$0] } }
  var covariance = [Double](repeating: 0, count: width * width)
  covariance.withUnsafeMutableBufferPointer { covariance in
    for row in centred {
      row.withUnsafeBufferPointer { row in
        for i in 0..<width {
          let value = row[i]
          for j in i..<width { covariance[i &* width &+ j] += value * row[j] }
        }
      }
    }
    for i in 0..<width { for j in 0..<i { covariance[i * width + j] = covariance[j * width + i] } }
  }
  guard let found = leadingEigenvectors(covariance, n: width, count: min(count, width)) else { return nil }
  return centred.map { row in
    (0..<count).map { k in
      k < found.count ? zip(row, found[k].vector).reduce(0) { $0 + $1.0 * $1.1 } : 0
    }
  }
}

/// Coordinates [R, count] as shares of each component's range, from 0 to 1, for colours: a hundredth is cut off at either end.
public func colourShares(_ coordinates: [[Double]]) -> [[Double]] {
  guard let count = coordinates.first?.count else { return [] }
  let ranges = (0..<count).map { k in
    let sorted = coordinates.map { $0[k] }.sorted()
    return (low: sorted[sorted.count / 100], high: sorted[sorted.count - 1 - sorted.count / 100])
  }
  return coordinates.map { row in
    (0..<count).map { k in
      let (low, high) = ranges[k]
      return high > low ? max(0, min(1, (row[k] - low) / (high - low))) : 0.5
    }
  }
}
