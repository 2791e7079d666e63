import Autodiff
import CKernels
import Compute
import Networks

/// k-means: finds the centres of a tokenizer in rows x [R, W] of patches.
public enum TokenizerFit {
  /// k-means++ (Arthur & Vassilvitskii, 2007) from given numbers: the rows that centres begin at. The first is row ⌊u R⌋; each other
  /// is the first row whose running sum of squared distances to the nearest seed so far exceeds u times their total.
  /// - Parameters:
  ///   - uniform: a number in [0, 1) for each centre.
  ///   - onSeed: called with how many there are; returning true gives up: the result is nil.
  public static func seeds(
    _ x: Tensor, uniform: [Double], engine: Engine, onSeed: (Int) -> Bool = { _ in false }
  ) -> [Int]? {
    let width = x.columns
    let lengths = squares(x, x, engine: engine) { $0 }
    var least = [Double](repeating: .infinity, count: x.rows)
    var seeds: [Int] = []
    for u in uniform {
      var next = seeds.isEmpty ? Int(u * Double(x.rows)) : x.rows
      if !seeds.isEmpty {
        let limit = u * least.reduce(0, +)
        var total = 0.0
        for (row, distance) in least.enumerated() {
          total += distance
          if total > limit {
            next = row
            break
          }
        }
      }
      next = min(next, x.rows - 1)
      seeds.append(next)
      if onSeed(seeds.count) { return nil }
      least.withUnsafeMutableBufferPointer { least in
        let (least, seed) = (least, next)
        engine.rows(over: x, cost: width) { x, range in
          for r in range {
            let distance = lengths[r] + lengths[seed] - 2 * pmae_dot(x.row(r), x.row(seed), width)
            least[r] = r == seed ? 0 : min(least[r], max(0, distance))
          }
        }
      }
    }
    return seeds
  }

  /// One iteration of Lloyd's: every row goes to its nearest centre, then every centre to the mean of its rows. A centre without rows
  /// stays where it is.
  /// - Returns: the mean squared distance of the rows to their centres before it moved.
  public static func iterate(_ tokenizer: PatchTokenizer, on x: Tensor, engine: Engine) -> Double {
    let (width, ids) = (x.columns, tokenizer.nearest(x, engine: engine))
    let inertia = squares(x, tokenizer.centres, engine: engine) { Int(ids[$0]) }.reduce(0, +) / Double(x.rows)
    var members = [[Int32]](repeating: [], count: tokenizer.vocabulary)
    for (row, id) in ids.enumerated() { members[Int(id)].append(Int32(row)) }
    engine.rows(over: tokenizer.centres, x, cost: width * max(1, x.rows / tokenizer.vocabulary)) { centres, x, range in
      for c in range where !members[c].isEmpty {
        var sums = [Double](repeating: 0, count: width)
        for row in members[c] {
          let values = x.row(Int(row))
          for i in 0..<width { sums[i] += Double(values[i]) }
        }
        for i in 0..<width { centres.row(c)[i] = Float(sums[i] / Double(members[c].count)) }
      }
    }
    return inertia
  }

  /// Of each row, the squared distance to a row of `others`; of a row to itself, its squared length.
  private static func squares(
    _ x: Tensor, _ others: Tensor, engine: Engine, row: (Int) -> Int
  ) -> [Double] {
    let width = x.columns
    return [Double](unsafeUninitializedCapacity: x.rows) { buffer, count in
      let out = buffer
      engine.rows(over: x, others, cost: width) { x, others, range in
        for r in range {
          let (a, b) = (x.row(r), others.row(row(r)))
          let ab = pmae_dot(a, b, width)
          out[r] = a == b ? ab : max(0, pmae_dot(a, a, width) + pmae_dot(b, b, width) - 2 * ab)
        }
      }
      count = x.rows
    }
  }
}
