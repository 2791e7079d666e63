// mixup (Zhang et al., 2018) and CutMix (Yun et al., 2019), a batch at a time as timm's `Mixup` does, whose recipe MAE's and BEiT's
// fine-tuning is.

import Foundation
import Networks
import Parallel

/// How the images of a batch are mixed. Each goes with the one at its place from the other end, and all by the same amount.
public struct Mixing: Sendable, Equatable {
  /// Of Beta(α, α), from which the share is drawn; nil: that kind is not done. Where both are, each is in half of all batches.
  public var mixup: Double?
  public var cutmix: Double?

  public init(mixup: Double?, cutmix: Double?) {
    self.mixup = mixup
    self.cutmix = cutmix
  }

  /// What was drawn for a batch.
  public struct Drawn: Sendable, Equatable {
    /// How much of an image, and of its label, is its own; of CutMix, of its area.
    public let share: Double
    /// CutMix's; nil: mixup.
    public let box: PixelBox?
  }

  /// What is done to step `step` of an epoch, with images of `side` × `side`. It depends on the arguments alone; nil where nothing is.
  public func draw(seed: UInt64, epoch: Int, step: Int, side: Int) -> Drawn? {
    var random = CounterRandom(seed: seed, epoch: epoch, sample: step, purpose: Purpose.mixing.rawValue)
    let cuts = mixup == nil || (cutmix != nil && random.uniform() < 0.5)
    guard let alpha = cuts ? cutmix : mixup else { return nil }
    let share = random.symmetricBeta(alpha)
    guard cuts else { return Drawn(share: share, box: nil) }
    let box = Self.box(share: share, side: side, row: random.below(side), column: random.below(side))
    return Drawn(share: 1 - Double(box.area) / Double(side * side), box: box)
  }

  /// CutMix's square of (1 − share) of the area about a place, as much of it as lies inside the image.
  public static func box(share: Double, side: Int, row: Int, column: Int) -> PixelBox {
    let cut = Int(Double(side) * (1 - share).squareRoot())
    func range(_ center: Int) -> Range<Int> { max(center - cut / 2, 0)..<min(center + (cut + 1) / 2, side) }
    return PixelBox(rows: range(row), columns: range(column))
  }
}

extension Mixing.Drawn {
  /// A batch in parts, mixed: image i with image B − 1 − i of the whole batch, so that the parts decide nothing.
  func callAsFunction(_ parts: [Classification.Examples]) -> [Classification.Examples] {
    zip(parts, parts.reversed()).map { part, other in
      let others = other.images.reversedPixels
      var mixed = part
      mixed.images =
        box.map { part.images.pasted(others, in: $0) } ?? part.images.blended(with: others, share: Float(share))
      mixed.mixed = (other.labels.reversed(), share)
      return mixed
    }
  }
}

extension CounterRandom {
  /// A draw from Beta(α, α): X / (X + Y), both of them Gamma(α).
  mutating func symmetricBeta(_ alpha: Double) -> Double {
    let (x, y) = (gamma(alpha), gamma(alpha))
    // Of a tiny α both may be too small for a Double: one of the ends.
    return x + y > 0 ? x / (x + y) : uniform() < 0.5 ? 0 : 1
  }

  /// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000; for α below 1 by its section 6.
  private mutating func gamma(_ alpha: Double) -> Double {
    if alpha < 1 { return gamma(alpha + 1) * pow(1 - uniform(), 1 / alpha) }
    let d = alpha - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let v = pow(1 + c * x, 3)
      if v > 0, log(1 - uniform()) < 0.5 * x * x + d - d * v + d * log(v) { return d * v }
    }
  }
}
