import Compute
import Foundation

// The end of a fit in double precision throughout. The intercepts of features far from zero depend on the last digits of the
// weights, and float32 logits and residuals leave these open.
extension LogisticRegression {
  /// How much work may be done in double precision: n · D · K of a problem. It takes a tenth of a second for a pass.
  private static var most: Int { 50_000_000 }
  /// Parts of the rows whose sums are added up in order.
  private static var parts: Int { 32 }

  /// Takes steps from where float32 sees no more, as long as the objective falls.
  func finish(_ point: inout LogisticModel, _ memory: LimitedMemory, penalty: Double) {
    if rows * width * classes > Self.most { return }
    var memory = memory
    var (value, gradient) = exact(point, penalty: penalty)
    for _ in 0..<50 {
      let step = memory.direction(for: gradient)
      if -dot(step, gradient) <= 1e-20 * value { break }
      var next = point
      next.move(by: 1, along: step)
      let found = exact(next, penalty: penalty)
      if !(found.value <= value) { break }
      memory.add(step: step, change: zip(found.gradient, gradient).map { $0 - $1 })
      point = next
      (value, gradient) = found
    }
    point.objective = value
  }

  /// The objective and its gradient: that of the weights, then that of the intercepts.
  private func exact(_ point: LogisticModel, penalty: Double) -> (value: Double, gradient: [Double]) {
    let (n, k, d, count) = (rows, classes, width, Self.parts)
    let size = k * d + k + 1
    var sums = [Double](repeating: 0, count: count * size)
    Buffer.withPointers(to: [features]) { features in
      nonisolated(unsafe) let features = features[0]
      sums.withUnsafeMutableBufferPointer { sums in
        point.weights.withUnsafeBufferPointer { weights in
          nonisolated(unsafe) let (sums, weights) = (sums.baseAddress!, weights.baseAddress!)
          engine.threads.run(count) { part in
            let sum = sums + part * size
            var logits = [Double](repeating: 0, count: k)
            for r in part * n / count..<(part + 1) * n / count {
              let x = features + r * d
              for c in 0..<k {
                let w = weights + c * d
                var z = point.intercepts[c]
                for i in 0..<d { z += w[i] * Double(x[i]) }
                logits[c] = z
              }
              let greatest = logits.max() ?? 0
              var total = 0.0
              for c in 0..<k { total += exp(logits[c] - greatest) }
              let label = Int(labels[r])
              sum[size - 1] += log(total) + greatest - logits[label]
              for c in 0..<k {
                let residual = exp(logits[c] - greatest) / total - (c == label ? 1 : 0)
                let own = sum + c * d
                for i in 0..<d { own[i] += residual * Double(x[i]) }
                sum[k * d + c] += residual
              }
            }
          }
        }
      }
    }
    var gradient = point.weights.map { penalty * $0 } + [Double](repeating: 0, count: k)
    var value = penalty / 2 * dot(point.weights, point.weights)
    for part in 0..<count {
      for i in gradient.indices { gradient[i] += sums[part * size + i] }
      value += sums[part * size + size - 1]
    }
    return (value, gradient)
  }
}
