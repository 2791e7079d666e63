import Foundation

/// Half a cosine from `start` (step 0) to `end` (step = steps).
public func cosine(_ start: Double, _ end: Double, _ step: Double, _ steps: Double) -> Double {
  end + 0.5 * (start - end) * (1 + cos(.pi * step / steps))
}

/// The learning rate at a point of a run: linear warm-up, then half a cosine to zero, both in epochs.
public func learningRate(peak: Double, epoch: Double, warmup: Double, epochs: Double) -> Double {
  epoch < warmup ? peak * epoch / warmup : cosine(peak, 0, epoch - warmup, max(epochs - warmup, .leastNormalMagnitude))
}
