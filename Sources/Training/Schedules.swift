import Foundation

/// Half a cosine from `start` (step 0) to `end` (step = steps).
public func cosine(_ start: Double, _ end: Double, _ step: Double, _ steps: Double) -> Double {
  end + 0.5 * (start - end) * (1 + cos(.pi * step / steps))
}

/// The learning rate of a run: a line up to its peak, then half a cosine down.
public struct RateSchedule: Equatable, Sendable {
  public var peak: Double
  /// Epochs of the line up.
  public var warmupEpochs: Double
  /// Where the line begins.
  public var start = 0.0
  /// Where the cosine ends.
  public var end = 0.0
  /// Above 0: there is no cosine. After this share of the run's steps the rate is a tenth of its peak.
  public var dropAt = 0.0
  /// Where given, there is neither line nor cosine: the rate falls to `end` by a power of what is left of the run.
  public var poly: Poly?

  /// mmcv's poly schedule. The warm-up multiplies the falling rate; it does not replace it.
  public struct Poly: Equatable, Sendable {
    /// Steps over which the factor rises from `ratio` to 1.
    public var warmupSteps: Int
    public var ratio = 1e-6
    public var power = 1.0

    public init(warmupSteps: Int) { self.warmupSteps = warmupSteps }
  }

  public init(peak: Double, warmupEpochs: Double) { (self.peak, self.warmupEpochs) = (peak, warmupEpochs) }

  /// The rate of a step.
  public func rate(at place: StepPlace) -> Double {
    if let poly {
      let rate = (peak - end) * pow(1 - Double(place.step) / Double(place.steps), poly.power) + end
      if place.step >= poly.warmupSteps { return rate }
      return rate * (1 - (1 - Double(place.step) / Double(poly.warmupSteps)) * (1 - poly.ratio))
    }
    if dropAt > 0, place.epochsDone >= warmupEpochs {
      return Double(place.step) >= dropAt * Double(place.steps) ? peak * 0.1 : peak
    }
    return rate(epoch: place.epochsDone, epochs: Double(place.epochs))
  }

  /// The rate after so many epochs of all, by line and cosine.
  public func rate(epoch: Double, epochs: Double) -> Double {
    epoch < warmupEpochs
      ? start + (peak - start) * epoch / warmupEpochs
      : cosine(peak, end, epoch - warmupEpochs, max(epochs - warmupEpochs, .leastNormalMagnitude))
  }
}
