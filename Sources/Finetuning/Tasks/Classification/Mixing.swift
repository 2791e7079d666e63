// mixup (Zhang et al., 2018) and CutMix (Yun et al., 2019) as timm's `Mixup` does them, whose recipe MAE's and BEiT's fine-tuning is.

import Foundation
import Networks
import Parallel

/// How the images of a batch are mixed. Each goes with the one at its place from the batch's other end.
public struct Mixing: Sendable, Equatable {
  /// For which images one draw holds.
  public enum Mode: String, Codable, CaseIterable, Sendable {
    /// All of a batch.
    case batch
    /// An image and the one that it goes with.
    case pair
    /// One image.
    case element
  }

  /// Of Beta(α, α), from which the share is drawn; nil: that kind is not done.
  public var mixup: Double?
  public var cutmix: Double?
  public var mode = Mode.batch
  /// How often images are mixed at all.
  public var probability = 1.0
  /// Where both kinds are done: how often it is CutMix.
  public var switchProbability = 0.5

  public init(mixup: Double?, cutmix: Double?) { (self.mixup, self.cutmix) = (mixup, cutmix) }

  public var isDone: Bool { mixup != nil || cutmix != nil }

  /// What is done to the images of step `step` of an epoch, `count` of them of `side` × `side`. It depends on the arguments
  /// alone; nil where nothing is.
  public func draw(seed: UInt64, epoch: Int, step: Int, count: Int, side: Int) -> [ImageMix]? {
    if !isDone { return nil }
    var random = CounterRandom(seed: seed, epoch: epoch, sample: step, purpose: Purpose.mixing.rawValue)
    var draws: [ImageMix]
    switch mode {
    case .batch: draws = Array(repeating: draw(&random, side: side), count: count)
    case .element: draws = (0..<count).map { _ in draw(&random, side: side) }
    case .pair:
      draws = Array(repeating: .unmixed, count: count)
      for i in 0..<count / 2 {
        draws[i] = draw(&random, side: side)
        draws[count - 1 - i] = draws[i]
      }
    }
    return draws.allSatisfy { $0 == .unmixed } ? nil : draws
  }

  private func draw(_ random: inout CounterRandom, side: Int) -> ImageMix {
    // Nothing is drawn for what is certain.
    if probability < 1, random.uniform() >= probability { return .unmixed }
    let cuts = mixup == nil || (cutmix != nil && random.uniform() < switchProbability)
    guard let alpha = cuts ? cutmix : mixup else { return .unmixed }
    let share = random.symmetricBeta(alpha)
    guard cuts else { return ImageMix(share: share, box: nil) }
    let box = Self.box(share: share, side: side, row: random.below(side), column: random.below(side))
    return ImageMix(share: 1 - Double(box.area) / Double(side * side), box: box)
  }

  /// CutMix's square of (1 − share) of the area about a place, as much of it as lies inside the image.
  public static func box(share: Double, side: Int, row: Int, column: Int) -> PixelBox {
    let cut = Int(Double(side) * (1 - share).squareRoot())
    func range(_ center: Int) -> Range<Int> { max(center - cut / 2, 0)..<min(center + (cut + 1) / 2, side) }
    return PixelBox(rows: range(row), columns: range(column))
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
