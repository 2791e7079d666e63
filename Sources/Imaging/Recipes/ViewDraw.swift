// What was drawn for a view, and the values by which a stream records it.

/// What was drawn for one view of one sample.
public struct ViewDraw: Sendable {
  public enum Crop: Sendable, Equatable {
    case box(CropBox)
    case center(CenterCrop)
    /// Of the picture at another size, a square of this side, or as much of one as there is.
    case scaled(ScaledCrop.Drawn, side: Int)
    /// All of the picture, at this size.
    case whole(height: Int, width: Int)
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

    /// The order as a digit for each change that is made, the first one first: 1 brightness, 2 contrast, 3 saturation, 4 hue.
    var orderNumber: Int { order.reduce(0) { $0 * 10 + $1.rawValue } }
  }

  public var crop: Crop
  public var interpolation = Interpolation.bicubic
  public var variant = 0
  /// In which order the following are done: the recipe's.
  public var order = Recipe.Step.allCases
  public var flip = false
  public var vflip = false
  public var jitter: Jitter?
  public var grey = false
  /// Nil where there is no blur.
  public var blurSigma: Float?
  public var solarise = false
  /// RandAugment's layers; nil for one that is left out.
  public var rand: [RandAugment.Layer?] = []
  public var erased: RandomErasing.Drawn?
  public var photometric: PhotometricDistortion.Drawn?

  public init(crop: Crop) { self.crop = crop }

  /// The value that is recorded for a view of a `height` × `width` picture.
  func value(_ column: Recipe.Column, height: Int, width: Int) -> Float {
    switch column {
    case .top: Float(sourceBox(height: height, width: width).top)
    case .left: Float(sourceBox(height: height, width: width).left)
    case .height: Float(sourceBox(height: height, width: width).height)
    case .width: Float(sourceBox(height: height, width: width).width)
    case .flip: flip ? 1 : 0
    case .vflip: vflip ? 1 : 0
    case .variant: Float(variant)
    case .jitterOrder: Float(jitter?.orderNumber ?? 0)
    case .brightness: jitter?.brightness ?? 1
    case .contrast: jitter?.contrast ?? 1
    case .saturation: jitter?.saturation ?? 1
    case .hue: jitter?.hue ?? 0
    case .grey: grey ? 1 : 0
    case .blurSigma: blurSigma ?? 0
    case .solarise: solarise ? 1 : 0
    case .filter: interpolation.number
    case .rand(let layer, let part):
      switch (layer < rand.count ? rand[layer] : nil, part) {
      case (nil, _): 0
      case (let drawn?, .operation): Float(drawn.operation.rawValue)
      case (let drawn?, .argument): drawn.argument
      case (let drawn?, .filter): drawn.operation.isGeometric ? drawn.interpolation.number : 0
      }
    case .eraseSeed: Float(erased?.seed ?? 0)
    case .scaledHeight: Float(scaled?.height ?? height)
    case .scaledWidth: Float(scaled?.width ?? width)
    case .scaledTop: Float(scaled?.top ?? 0)
    case .scaledLeft: Float(scaled?.left ?? 0)
    case .photometricOrder: Float(photometric?.orderNumber ?? 0)
    case .photometricBrightness: photometric?.brightness ?? 0
    case .photometricContrast: photometric?.contrast ?? 1
    case .photometricSaturation: photometric?.saturation ?? 1
    case .photometricHue: Float(photometric?.hue ?? 0)
    case .erase(let number, let part):
      if let boxes = erased?.boxes, number < boxes.count { part.value(of: boxes[number]) } else { 0 }
    }
  }

  private var scaled: ScaledCrop.Drawn? {
    switch crop {
    case .scaled(let drawn, _): drawn
    case .whole(let height, let width): ScaledCrop.Drawn(height: height, width: width, top: 0, left: 0)
    case .box, .center: nil
    }
  }

  /// Whether a grey picture's channels may come out different: by the fill colour, or by noise.
  var needsEveryChannel: Bool { erased != nil || rand.contains { $0?.operation.isGeometric == true } }

  /// The pixels of a source of `height` × `width` that the view is made of.
  func read(height: Int, width: Int) -> CropBox {
    switch crop {
    case .box(let box): return box
    case .whole: return CropBox(top: 0, left: 0, height: height, width: width)
    case .scaled(let drawn, let side):
      let window = drawn.window(side: side)
      let rows = LinearResampler.reach(
        input: height, output: drawn.height, range: window.top..<window.top + window.height)
      let columns = LinearResampler.reach(
        input: width, output: drawn.width, range: window.left..<window.left + window.width)
      return CropBox(top: rows.lowerBound, left: columns.lowerBound, height: rows.count, width: columns.count)
    case .center(let center):
      let resized = center.resizedSize(height: height, width: width)
      let window = center.window(height: resized.height, width: resized.width)
      let rows = ResamplingTaps.reach(
        input: height, output: resized.height, range: window.top..<(window.top + window.height),
        interpolation: interpolation)
      let columns = ResamplingTaps.reach(
        input: width, output: resized.width, range: window.left..<(window.left + window.width),
        interpolation: interpolation)
      return CropBox(
        top: rows.lowerBound, left: columns.lowerBound, height: rows.count, width: columns.count)
    }
  }

  /// What the view shows, in pixels of a source of `height` × `width`.
  private func sourceBox(height: Int, width: Int) -> (top: Double, left: Double, height: Double, width: Double) {
    switch crop {
    case .box(let box):
      return (Double(box.top), Double(box.left), Double(box.height), Double(box.width))
    case .whole: return (0, 0, Double(height), Double(width))
    case .scaled(let drawn, let side):
      let window = drawn.window(side: side)
      let (y, x) = (Double(height) / Double(drawn.height), Double(width) / Double(drawn.width))
      return (Double(window.top) * y, Double(window.left) * x, Double(window.height) * y, Double(window.width) * x)
    case .center(let center):
      let resized = center.resizedSize(height: height, width: width)
      let window = center.window(height: resized.height, width: resized.width)
      let (y, x) = (Double(height) / Double(resized.height), Double(width) / Double(resized.width))
      return (Double(window.top) * y, Double(window.left) * x, Double(window.height) * y, Double(window.width) * x)
    }
  }
}
