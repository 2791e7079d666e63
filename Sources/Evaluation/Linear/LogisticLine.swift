import CKernels
import Compute
import Foundation

// The objective along a line. Logits are linear along it, so no features are looked at.
extension LogisticRegression {
  /// The objective at a point of a line.
  struct LinePlace {
    let value: Double
    let slope: Double
    let curvature: Double
    /// The mean of p (1 − p) over rows and classes.
    let spread: Double
  }

  /// A step after which the slope is at most a tenth of what it was; nil where there is none that float32 can see.
  func search(
    from start: LinePlace, _ point: LogisticModel, direction: [Double], slope: Double, penalty: Double
  ) -> (step: Double, place: LinePlace)? {
    var (low, high) = (0.0, Double.infinity)
    var step = 1.0
    var best: (step: Double, place: LinePlace)?
    for _ in 0..<20 {
      let place = along(step, penalty: penalty, from: point, direction: direction)
      if !place.value.isFinite { return nil }
      best = (step, place)
      if abs(place.slope) <= 0.1 * abs(slope) { break }
      // The objective is convex, so the slope rises, and Newton's step is to where it is zero.
      if place.slope < 0 { low = step } else { high = step }
      let newton = step - place.slope / place.curvature
      if newton > low && newton < high { step = newton } else { step = high.isFinite ? (low + high) / 2 : 2 * step }
    }
    guard let best else { return nil }
    let noise = 1e-9 * abs(start.value)
    return abs(best.place.slope) < abs(slope) && best.place.value <= start.value + noise ? best : nil
  }

  private static var block: Int { 256 }

  /// The objective at a step along the line. It leaves logits in `nextLogits`, and in `residuals` what the gradient is made of.
  func along(_ step: Double, penalty: Double, from point: LogisticModel, direction: [Double]?) -> LinePlace {
    let (n, k, block) = (rows, classes, Self.block)
    let blocks = (n + block - 1) / block
    var sums = [Double](repeating: 0, count: 4 * blocks)
    let moves = direction != nil
    Buffer.withPointers(to: [logits, nextLogits, slopes, residuals]) { pointers in
      nonisolated(unsafe) let pointers = pointers
      sums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let sums = sums
        labels.withUnsafeBufferPointer { labels in
          nonisolated(unsafe) let labels = labels
          engine.threads.run(blocks) { task in
            let start = task * block
            let count = min(n, start + block) - start
            let (z, next, d, p) = (
              pointers[0] + start * k, pointers[1] + start * k, pointers[2] + start * k, pointers[3] + start * k
            )
            if moves {
              pmae_add_scaled(z, Float(step), d, next, count * k)
            } else {
              next.update(from: z, count: count * k)
            }
            let found = Self.rows(count, k, next, d: moves ? d : nil, p, labels: labels.baseAddress! + start)
            for (place, value) in found.enumerated() { sums[4 * task + place] = value }
          }
        }
      }
    }
    var (value, slope, curvature, spread) = (0.0, 0.0, 0.0, 0.0)
    for task in 0..<blocks {
      value += sums[4 * task]
      slope += sums[4 * task + 1]
      curvature += sums[4 * task + 2]
      spread += sums[4 * task + 3]
    }
    let w = point.weights
    let direction = direction.map { $0.prefix(w.count) } ?? []
    let (ww, wd, dd) = (dot(w, w), dot(w[...], direction), dot(direction, direction))
    value += penalty / 2 * (ww + 2 * step * wd + step * step * dd)
    slope += penalty * (wd + step * dd)
    curvature += penalty * dd
    return LinePlace(
      value: value, slope: slope, curvature: curvature, spread: spread / (Double(n) * Double(k)))
  }

  /// Some rows' loss, slope, curvature and Σ p (1 − p); probabilities less labels go into `p`.
  private static func rows(
    _ count: Int, _ k: Int, _ z: UnsafeMutablePointer<Float>, d: UnsafeMutablePointer<Float>?,
    _ p: UnsafeMutablePointer<Float>, labels: UnsafePointer<Int32>
  ) -> [Double] {
    var (value, slope, curvature, spread) = (0.0, 0.0, 0.0, 0.0)
    for r in 0..<count {
      let z = z + r * k
      let greatest = pmae_maximum(z, k)
      for c in 0..<k { p[r * k + c] = z[c] - greatest }
      value -= Double(p[r * k + Int(labels[r])])
    }
    pmae_exp(p, p, count * k)
    for r in 0..<count {
      let p = p + r * k
      var sum = 0.0
      for c in 0..<k { sum += Double(p[c]) }
      value += log(sum)
      let inverse = 1 / sum
      let label = Int(labels[r])
      var (first, second, squares) = (0.0, 0.0, 0.0)
      if let d {
        let d = d + r * k
        for c in 0..<k {
          let (share, change) = (Double(p[c]) * inverse, Double(d[c]))
          first += share * change
          second += share * change * change
          squares += share * share
          p[c] = Float(share)
        }
        slope += first - Double(d[label])
        curvature += max(0, second - first * first)
      } else {
        for c in 0..<k {
          let share = Double(p[c]) * inverse
          squares += share * share
          p[c] = Float(share)
        }
      }
      spread += 1 - squares
      p[label] -= 1
    }
    return [value, slope, curvature, spread]
  }
}
