// What a view is made by. A recipe says what may be drawn; a `ViewDraw` is what was drawn for one sample. Drawing needs only the
// picture's size, and applying needs only the draw, so a view can be made again from the parameters that the stream records.

import Compute
import Foundation

/// How views of one kind are made: one of `variants`, drawn for each sample, says what may be done to a picture.
public struct Recipe: Sendable {
  /// Also the name of the tensor in the views stream.
  public let name: String
  /// Equally likely.
  public let variants: [Variant]
  /// Keeps this recipe's random numbers apart from every other's.
  let purpose: UInt32

  /// The steps of one variant, in the order in which they are applied. Probabilities from 0 to 1.
  public struct Variant: Sendable {
    public enum Crop: Sendable {
      case random(RandomCrop)
      /// Resize, then the center; the share is the square's side over the shorter side.
      case center(share: Double)
    }
    public var crop: Crop
    public var flip = 0.0
    public var jitter: Jitter?
    public var grey = 0.0
    public var blur = 0.0
    /// Standard deviation in pixels of the view.
    public var blurSigma = 0.1...2.0
    public var solarise = 0.0
  }

  /// torchvision's ColorJitter: four changes in an order drawn anew for each sample.
  public struct Jitter: Sendable {
    public var probability: Double
    public var brightness: ClosedRange<Double>
    public var contrast: ClosedRange<Double>
    public var saturation: ClosedRange<Double>
    public var hue: ClosedRange<Double>
  }

  /// MAE's: a crop of 20 to 100 % of the area, and a flip.
  public static let simple = Recipe(
    name: "simple", variants: [Variant(crop: .random(RandomCrop(scale: 0.2...1)), flip: 0.5)], purpose: 0x7669_6501)

  /// DINO's: one of its two global recipes.
  public static let complex: Recipe = {
    var first = Variant(crop: .random(RandomCrop(scale: 0.4...1)), flip: 0.5)
    first.jitter = Jitter(
      probability: 0.8, brightness: 0.6...1.4, contrast: 0.6...1.4, saturation: 0.8...1.2, hue: -0.1...0.1)
    first.grey = 0.2
    first.blur = 1
    var second = first
    second.blur = 0.1
    second.solarise = 0.2
    return Recipe(name: "complex", variants: [first, second], purpose: 0x7669_6502)
  }()

  /// For evaluation: resize, then the center square. Nothing is drawn.
  /// `share` is the square's side over the resized picture's shorter side.
  public static func center(share: Double) -> Recipe {
    Recipe(name: "center", variants: [Variant(crop: .center(share: share))], purpose: 0x7669_6503)
  }

  /// Whether every epoch would be the same.
  public var isDeterministic: Bool {
    variants.count == 1
      && variants.allSatisfy {
        if case .random = $0.crop { return false }
        return $0.flip == 0 && $0.jitter == nil && $0.grey == 0 && $0.blur == 0 && $0.solarise == 0
      }
  }

  /// What to do to sample `index`, a picture of `height` × `width` pixels, for a view of `size` × `size`. It depends on the
  /// arguments alone.
  public func draw(seed: UInt64, epoch: Int, index: Int, height: Int, width: Int, size: Int) -> ViewDraw {
    var random = CounterRandom(seed: seed, epoch: epoch, sample: index, purpose: purpose)
    let chosen = variants.count > 1 ? random.below(variants.count) : 0
    let variant = variants[chosen]
    var draw: ViewDraw
    switch variant.crop {
    case .random(let crop):
      draw = ViewDraw(crop: .box(crop.draw(height: height, width: width, from: &random)))
    case .center(let share):
      draw = ViewDraw(crop: .center(CenterCrop(size: size, ratio: share)))
    }
    draw.variant = chosen
    draw.flip = random.happens(variant.flip)
    if let jitter = variant.jitter, random.happens(jitter.probability) {
      // The factors are rounded to what the stream records, so that its parameters say exactly what was done.
      draw.jitter = ViewDraw.Jitter(
        order: random.permutation(4).map { ViewDraw.Jitter.Change.allCases[$0] },
        brightness: Float(random.uniform(in: jitter.brightness)), contrast: Float(random.uniform(in: jitter.contrast)),
        saturation: Float(random.uniform(in: jitter.saturation)), hue: Float(random.uniform(in: jitter.hue)))
    }
    draw.grey = random.happens(variant.grey)
    if random.happens(variant.blur) { draw.blurSigma = Float(random.uniform(in: variant.blurSigma)) }
    draw.solarise = random.happens(variant.solarise)
    return draw
  }

  /// What is recorded of each draw: the columns of `<recipe>.parameters`, of which a recipe has those that it may draw.
  public enum Column: String, Sendable, CaseIterable {
    case top, left, height, width, flip, variant
    case jitterOrder = "jitter_order"
    case brightness, contrast, saturation, hue, grey
    case blurSigma = "blur_sigma"
    case solarise
  }

  public var columns: [Column] {
    Column.allCases.filter { column in
      switch column {
      case .top, .left, .height, .width: true
      case .flip: variants.contains { $0.flip > 0 }
      case .variant: variants.count > 1
      case .jitterOrder, .brightness, .contrast, .saturation, .hue: variants.contains { $0.jitter != nil }
      case .grey: variants.contains { $0.grey > 0 }
      case .blurSigma: variants.contains { $0.blur > 0 }
      case .solarise: variants.contains { $0.solarise > 0 }
      }
    }
  }
}

/// What was drawn for one view of one sample.
public struct ViewDraw: Sendable {
  public enum Crop: Sendable, Equatable {
    case box(CropBox)
    case center(CenterCrop)
  }

  public struct Jitter: Sendable {
    public enum Change: Int, Sendable, CaseIterable {
      case brightness = 1
      case contrast, saturation, hue
    }
    public var order: [Change]
    public var brightness: Float
    public var contrast: Float
    public var saturation: Float
    public var hue: Float

    public init(order: [Change], brightness: Float, contrast: Float, saturation: Float, hue: Float) {
      self.order = order
      self.brightness = brightness
      self.contrast = contrast
      self.saturation = saturation
      self.hue = hue
    }

    /// The order as four digits, first change first: 1 brightness, 2 contrast, 3 saturation, 4 hue.
    var orderNumber: Int { order.reduce(0) { $0 * 10 + $1.rawValue } }
  }

  public var crop: Crop
  public var variant = 0
  public var flip = false
  public var jitter: Jitter?
  public var grey = false
  /// Nil where there is no blur.
  public var blurSigma: Float?
  public var solarise = false

  public init(crop: Crop) { self.crop = crop }

  /// The value that is recorded for a view of a `height` × `width` picture.
  func value(_ column: Recipe.Column, height: Int, width: Int) -> Float {
    switch column {
    case .top: Float(sourceBox(height: height, width: width).top)
    case .left: Float(sourceBox(height: height, width: width).left)
    case .height: Float(sourceBox(height: height, width: width).height)
    case .width: Float(sourceBox(height: height, width: width).width)
    case .flip: flip ? 1 : 0
    case .variant: Float(variant)
    case .jitterOrder: Float(jitter?.orderNumber ?? 0)
    case .brightness: jitter?.brightness ?? 1
    case .contrast: jitter?.contrast ?? 1
    case .saturation: jitter?.saturation ?? 1
    case .hue: jitter?.hue ?? 0
    case .grey: grey ? 1 : 0
    case .blurSigma: blurSigma ?? 0
    case .solarise: solarise ? 1 : 0
    }
  }

  /// What the view shows, in pixels of a source of `height` × `width`.
  private func sourceBox(height: Int, width: Int) -> (top: Double, left: Double, height: Double, width: Double) {
    switch crop {
    case .box(let box):
      return (Double(box.top), Double(box.left), Double(box.height), Double(box.width))
    case .center(let center):
      let resized = center.resizedSize(height: height, width: width)
      let window = center.window(height: resized.height, width: resized.width)
      let (y, x) = (Double(height) / Double(resized.height), Double(width) / Double(resized.width))
      return (Double(window.top) * y, Double(window.left) * x, Double(window.height) * y, Double(window.width) * x)
    }
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
