import CKernels
import Compute
import Parallel
import TensorStream
import Training

/// k-means: Lloyd's iterations from k-means++ starts (Arthur & Vassilvitskii 2007).
///
/// Products are float32, means double. Draws depend on the seed and the start's number, and sums have one order, so the bits are the
/// same for any number of threads.
public final class KMeans {
  /// Where a start has come to.
  public struct Solution: Sendable {
    /// Each row's cluster.
    public let assignment: [Int32]
    /// [k, D].
    public let centres: [Double]
    /// The sum of squared distances to the centres.
    public let inertia: Double
    public let iterations: Int
  }

  private let engine: Engine
  private let (rows, width): (Int, Int)
  private let mean: [Double]
  /// [n, D] less the mean, which distances do not see and rounding does.
  private let features: Buffer
  /// ‖x‖² [n].
  private let squares: [Double]

  /// - Throws: `Failure(.data)` where the work needs more than this machine's memory.
  public init(_ features: Features, engine: Engine) throws {
    try Features.requireRoom(count: features.count, width: features.width, source: "clusters")
    self.engine = engine
    (rows, width) = (features.count, features.width)
    mean = FeatureScaling(features, engine: engine).mean
    let buffer = engine.memory.take(rows * width)
    let (rows, width, mean) = (rows, width, mean)
    var squares = [Double](repeating: 0, count: rows)
    features.values.withUnsafeBufferPointer { values in
      squares.withUnsafeMutableBufferPointer { squares in
        nonisolated(unsafe) let (values, squares) = (values, squares)
        let matrix = buffer.matrix(rows: rows, columns: width)
        engine.rows(rows, cost: width) { range in
          for r in range {
            let row = matrix.row(r)
            for c in 0..<width { row[c] = Float(Double(values[r * width + c]) - mean[c]) }
            squares[r] = pmae_dot(row, row, width)
          }
        }
      }
    }
    (self.features, self.squares) = (buffer, squares)
  }

  /// The best of several starts.
  /// - Parameters:
  ///   - clusters: k, 1 to the number of rows.
  ///   - onIteration: called after each; returning true gives up: the result is nil.
  public func best(
    clusters: Int, starts: Int, seed: UInt64, limit: Int = 300, onIteration: () -> Bool = { false }
  ) -> Solution? {
    precondition((1...rows).contains(clusters) && starts >= 1)
    var best: Solution?
    for start in 0..<starts {
      let centres = self.start(clusters, seed: seed, number: start)
      guard let found = solve(centres, limit: limit, onIteration: onIteration) else { return nil }
      if best.map({ found.inertia < $0.inertia }) ?? true { best = found }
    }
    return best
  }

  /// Lloyd's iterations from centres [k, D], until no row changes its cluster.
  public func solve(from centres: [Double], limit: Int = 300, onIteration: () -> Bool = { false }) -> Solution? {
    precondition(centres.count % width == 0)
    return solve(centres.indices.map { centres[$0] - mean[$0 % width] }, limit: limit, onIteration: onIteration)
  }

  private func solve(_ start: [Double], limit: Int, onIteration: () -> Bool) -> Solution? {
    var centres = start
    var (assignment, distances) = nearest(centres)
    var iterations = 0
    while iterations < limit {
      centres = means(assignment, distances, clusters: centres.count / width)
      iterations += 1
      let (next, nextDistances) = nearest(centres)
      let isSettled = next == assignment
      (assignment, distances) = (next, nextDistances)
      if onIteration() { return nil }
      if isSettled { break }
    }
    return Solution(
      assignment: assignment, centres: centres.indices.map { centres[$0] + mean[$0 % width] },
      inertia: distances.reduce(0, +), iterations: iterations)
  }

  /// Rows that are far from each other, each drawn with a probability that grows with its squared distance to those before it.
  private func start(_ clusters: Int, seed: UInt64, number: Int) -> [Double] {
    var random = CounterRandom(
      seed: seed, epoch: number, sample: 0, purpose: MeasurePurpose.clusters.rawValue)
    let features = features
    var centres: [Double] = []
    var distances = [Double](repeating: .infinity, count: rows)
    var chosen = random.below(rows)
    while true {
      let matrix = features.matrix(rows: rows, columns: width)
      let centre = (0..<width).map { Double(matrix.row(chosen)[$0]) }
      centres += centre
      if centres.count == clusters * width { return centres }
      let own = nearest(centre).distances
      for r in 0..<rows { distances[r] = min(distances[r], own[r]) }
      let total = distances.reduce(0, +)
      // Of rows that are all at a centre already any is as good.
      if !(total > 0) {
        chosen = random.below(rows)
        continue
      }
      var left = random.uniform() * total
      chosen = distances.lastIndex { $0 > 0 } ?? 0
      for r in 0..<rows where distances[r] > 0 {
        left -= distances[r]
        if left < 0 {
          chosen = r
          break
        }
      }
    }
  }

  /// Each row's nearest centre, of equally near ones the first, and the squared distance to it.
  private func nearest(_ centres: [Double]) -> (assignment: [Int32], distances: [Double]) {
    let (n, d, features) = (rows, width, features)
    let k = centres.count / d
    let factor = engine.memory.take(k * d)
    factor.withValues { values in for i in 0..<k * d { values[i] = Float(centres[i]) } }
    let lengths = (0..<k).map { c in dot(centres[c * d..<(c + 1) * d], centres[c * d..<(c + 1) * d]) }
    var assignment = [Int32](repeating: 0, count: n)
    var distances = [Double](repeating: 0, count: n)
    let block = max(1, min(n, (1 << 22) / k))
    let products = engine.memory.take(block * k)
    assignment.withUnsafeMutableBufferPointer { assignment in
      distances.withUnsafeMutableBufferPointer { distances in
        nonisolated(unsafe) let (assignment, distances) = (assignment, distances)
        for start in stride(from: 0, to: n, by: block) {
          let count = min(n, start + block) - start
          let matrix = products.matrix(rows: count, columns: k)
          engine.multiply(
            features.matrix(rows: n, columns: d).rows(start..<start + count), factor.matrix(rows: k, columns: d),
            into: matrix, transposing: .right)
          engine.rows(count, cost: 4 * k) { range in
            for r in range {
              var (best, least) = (0, Double.infinity)
              for c in 0..<k {
                let distance = lengths[c] - 2 * Double(matrix.row(r)[c])
                if distance < least { (best, least) = (c, distance) }
              }
              assignment[start + r] = Int32(best)
              distances[start + r] = max(0, least + squares[start + r])
            }
          }
        }
      }
    }
    return (assignment, distances)
  }

  /// The clusters' means. A cluster without rows takes the row that is farthest from its centre, and so on.
  private func means(_ assignment: [Int32], _ distances: [Double], clusters k: Int) -> [Double] {
    var assignment = assignment
    var counts = [Int](repeating: 0, count: k)
    for cluster in assignment { counts[Int(cluster)] += 1 }
    let empty = counts.indices.filter { counts[$0] == 0 }
    if !empty.isEmpty {
      let farthest = distances.indices.sorted { (distances[$1], $0) < (distances[$0], $1) }
      var next = 0
      for cluster in empty {
        while next < farthest.count - 1, counts[Int(assignment[farthest[next]])] < 2 { next += 1 }
        counts[Int(assignment[farthest[next]])] -= 1
        assignment[farthest[next]] = Int32(cluster)
        counts[cluster] = 1
        next += 1
      }
    }
    var sums = [Double](repeating: 0, count: k * width)
    let (n, d, strip, features) = (rows, width, 16, features)
    sums.withUnsafeMutableBufferPointer { sums in
      nonisolated(unsafe) let sums = sums
      let matrix = features.matrix(rows: n, columns: d)
      engine.threads.run((d + strip - 1) / strip) { task in
        let columns = task * strip..<min(d, (task + 1) * strip)
        for r in 0..<n {
          let (row, sum) = (matrix.row(r), Int(assignment[r]) * d)
          for c in columns { sums[sum + c] += Double(row[c]) }
        }
        for cluster in 0..<k { for c in columns { sums[cluster * d + c] /= Double(max(1, counts[cluster])) } }
      }
    }
    return sums
  }
}
