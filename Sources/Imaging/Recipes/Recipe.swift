// What a view is made by. A recipe says what may be drawn; a `ViewDraw` is what was drawn for one sample. Drawing needs only the
// picture's size, and applying needs only the draw, so a view can be made again from the parameters that the stream records.

import Foundation
import Parallel

/// How views of one kind are made: one of `variants`, drawn for each sample, says what may be done to a picture.
public struct Recipe: Sendable {
  /// Also the name of the tensor in the views stream.
  public let name: String
  /// Equally likely.
  public let variants: [Variant]
  /// Keeps this recipe's random numbers apart from every other's.
  let purpose: UInt32
  /// The line of text that says all this; `init(line:)` reads it.
  public let line: String
  /// The side of its views, where it has one of its own.
  public let side: Int?

  /// What may be done after the crop.
  public enum Step: String, Sendable, CaseIterable {
    case flip, vflip, jitter, grey, blur, solarise, rand, erase, photometric
  }

  /// One way to make a view. Probabilities from 0 to 1.
  public struct Variant: Sendable {
    public enum Crop: Sendable {
      case random(RandomCrop)
      /// Resize, then the center; the share is the square's side over the shorter side.
      case center(share: Double)
      /// A square of the picture at a drawn scale.
      case scaled(ScaledCrop)
      /// All of the picture, its ratio kept; nil: limits by the view's side, as `ScaledCrop`'s.
      case whole(short: Int?, long: Int?)
    }
    public var crop: Crop
    public var interpolation = Interpolation.bicubic
    /// One of the two is drawn instead, for the crop and for each operation that moves pixels.
    public var drawsInterpolation = false
    /// In which order the steps are drawn and applied: DINO's.
    public var order = Step.allCases
    public var flip = 0.0
    public var vflip = 0.0
    public var jitter: Jitter?
    public var grey = 0.0
    public var blur = 0.0
    /// Standard deviation in pixels of the view.
    public var blurSigma = 0.1...2.0
    public var solarise = 0.0
    public var rand: RandAugment?
    public var erase: RandomErasing?
    public var photometric: PhotometricDistortion?

    /// Whether every view of a picture is the same.
    var isDeterministic: Bool {
      switch crop {
      case .random, .scaled: return false
      case .center, .whole: break
      }
      return [flip, vflip, grey, solarise].allSatisfy { $0 == 0 || $0 == 1 } && jitter == nil && blur == 0
        && rand == nil && erase == nil && photometric == nil && !drawsInterpolation
    }

    /// The side's own limits, of views that show all of a picture; nil of others.
    func wholeLimits(side: Int) -> KeptRatio? {
      guard case .whole(let short, let long) = crop else { return nil }
      var crop = ScaledCrop(ratio: 1...1)
      (crop.short, crop.long) = (short, long)
      return crop.limits(side: side)
    }
  }

  /// torchvision's ColorJitter: up to four changes in an order drawn anew for each sample. A change whose range is nil is never made.
  public struct Jitter: Sendable {
    public var probability: Double
    public var brightness: ClosedRange<Double>?
    public var contrast: ClosedRange<Double>?
    public var saturation: ClosedRange<Double>?
    public var hue: ClosedRange<Double>?

    func range(_ change: ViewDraw.Jitter.Change) -> ClosedRange<Double>? {
      switch change {
      case .brightness: brightness
      case .contrast: contrast
      case .saturation: saturation
      case .hue: hue
      }
    }
  }

  init(name: String, variants: [Variant], line: String, side: Int? = nil) {
    self.name = name
    self.side = side
    self.variants = variants
    self.line = line
    purpose = Self.purpose(name)
  }

  /// The random numbers of a name: those of the three oldest are fixed, the others' a hash (FNV-1a).
  private static func purpose(_ name: String) -> UInt32 {
    switch name {
    case "simple": 0x7669_6501
    case "complex": 0x7669_6502
    case "center": 0x7669_6503
    default: name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }
  }

  /// MAE's: a crop of 20 to 100 % of the area, and a flip.
  public static let simple = preset("name=simple: crop 0.2-1, flip")

  /// DINO's: one of its two global recipes.
  public static let complex = preset(
    "name=complex: crop 0.4-1, flip, jitter 0.4 0.4 0.2 0.1 p 0.8, grey p 0.2, blur "
      + "| crop 0.4-1, flip, jitter 0.4 0.4 0.2 0.1 p 0.8, grey p 0.2, blur p 0.1, solarise p 0.2")

  /// DeiT III's: one of grey, solarise and blur, then a jitter without hue.
  public static let threeAugment = preset(
    "name=three-augment: crop 0.08-1, flip, grey, jitter 0.3 0.3 0.3 "
      + "| crop 0.08-1, flip, solarise, jitter 0.3 0.3 0.3 | crop 0.08-1, flip, blur, jitter 0.3 0.3 0.3")

  /// What DeiT and MAE are fine-tuned with: RandAugment, then random erasing.
  public static let finetune = preset("name=finetune: crop 0.08-1, flip, rand-m9-mstd0.5-inc1, erase p 0.25")

  /// For evaluation: resize, then the center square. Nothing is drawn.
  /// `share` is the square's side over the resized picture's shorter side.
  public static func center(share: Double) -> Recipe {
    Recipe(name: "center", variants: [Variant(crop: .center(share: share))], line: "name=center: center \(share)")
  }

  /// A line of this file.
  private static func preset(_ line: String) -> Recipe {
    do { return try Recipe(line: line) } catch { preconditionFailure("\(error)") }
  }

  /// Whether every epoch would be the same.
  public var isDeterministic: Bool { variants.count == 1 && variants.allSatisfy { $0.isDeterministic } }

  /// What to do to sample `index`, a picture of `height` × `width` pixels, for a view of `size` × `size`. It depends on the
  /// arguments alone.
  ///
  /// - Parameter mask: the picture's class ids, [height, width], for a recipe that `needsMask`.
  public func draw(
    seed: UInt64, epoch: Int, index: Int, height: Int, width: Int, size: Int, mask: Picture? = nil
  ) -> ViewDraw {
    guard var mask else {
      return draw(seed: seed, epoch: epoch, index: index, height: height, width: width, size: size, ids: nil)
    }
    return mask.withPixels {
      draw(seed: seed, epoch: epoch, index: index, height: height, width: width, size: size, ids: $0)
    }
  }

  /// Whether what is drawn depends on what a mask says.
  public var needsMask: Bool {
    variants.contains { if case .scaled(let crop) = $0.crop { crop.category < 1 } else { false } }
  }

  /// What a mask could not follow, by its word in a recipe; nil where a mask can be moved as the picture is.
  public var stepWithoutMask: Step? {
    for variant in variants {
      if variant.rand != nil { return .rand }
      if variant.erase != nil { return .erase }
    }
    return nil
  }

  /// Whether each view shows all of a picture, at its own size.
  public var isWhole: Bool {
    variants.contains { if case .whole = $0.crop { true } else { false } }
  }

  func draw(
    seed: UInt64, epoch: Int, index: Int, height: Int, width: Int, size: Int, ids: Pixels?
  ) -> ViewDraw {
    var random = CounterRandom(seed: seed, epoch: epoch, sample: index, purpose: purpose)
    let chosen = variants.count > 1 ? random.below(variants.count) : 0
    let variant = variants[chosen]
    var draw: ViewDraw
    switch variant.crop {
    case .random(let crop):
      draw = ViewDraw(crop: .box(crop.draw(height: height, width: width, from: &random)))
    case .center(let share):
      draw = ViewDraw(crop: .center(CenterCrop(size: size, ratio: share)))
    case .scaled(let crop):
      draw = ViewDraw(
        crop: .scaled(crop.draw(height: height, width: width, side: size, mask: ids, from: &random), side: size))
    case .whole:
      let scaled = variant.wholeLimits(side: size)!.size(height: height, width: width)
      draw = ViewDraw(crop: .whole(height: scaled.height, width: scaled.width))
    }
    draw.variant = chosen
    draw.order = variant.order
    draw.interpolation = variant.interpolation
    if variant.drawsInterpolation { draw.interpolation = random.happens(0.5) ? .bilinear : .bicubic }
    for step in variant.order {
      switch step {
      case .flip: draw.flip = random.happens(variant.flip)
      case .vflip: draw.vflip = random.happens(variant.vflip)
      case .jitter:
        guard let jitter = variant.jitter, random.happens(jitter.probability) else { break }
        // The factors are rounded to what the stream records, so that its
        // parameters say exactly what was done.
        let order = random.permutation(4).map { ViewDraw.Jitter.Change.allCases[$0] }
        func factor(_ range: ClosedRange<Double>?, without: Float) -> Float {
          range.map { Float(random.uniform(in: $0)) } ?? without
        }
        draw.jitter = ViewDraw.Jitter(
          order: order.filter { jitter.range($0) != nil }, brightness: factor(jitter.brightness, without: 1),
          contrast: factor(jitter.contrast, without: 1), saturation: factor(jitter.saturation, without: 1),
          hue: factor(jitter.hue, without: 0))
      case .grey: draw.grey = random.happens(variant.grey)
      case .blur: if random.happens(variant.blur) { draw.blurSigma = Float(random.uniform(in: variant.blurSigma)) }
      case .solarise: draw.solarise = random.happens(variant.solarise)
      case .rand:
        let own = variant.drawsInterpolation ? nil : variant.interpolation
        draw.rand = variant.rand?.draw(interpolation: own, from: &random) ?? []
      case .photometric: draw.photometric = variant.photometric?.draw(from: &random)
      case .erase: draw.erased = variant.erase?.draw(height: size, width: size, from: &random)
      }
    }
    return draw
  }
}

extension CounterRandom {
  /// True with this probability. Draws nothing where that is 0 or 1.
  mutating func happens(_ probability: Double) -> Bool {
    if probability <= 0 { return false }
    if probability >= 1 { return true }
    return uniform() < probability
  }
}
