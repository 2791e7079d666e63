// mmsegmentation's PhotoMetricDistortion: brightness, contrast, saturation and hue, each in half of all cases, on 8 bits and in OpenCV's
// HSV. After its transforms.py.

import CImageKernels
import Parallel

/// What may be changed, and how far.
public struct PhotometricDistortion: Sendable, Equatable {
  /// What is added at most, and taken away at most.
  public var brightness = 32.0
  public var contrast = 0.5...1.5
  public var saturation = 0.5...1.5
  /// Steps of two degrees: from this many below to one fewer above.
  public var hue = 18

  public init() {}

  /// What was drawn; nil for a change that is not made.
  public struct Drawn: Sendable, Equatable {
    public var brightness: Float?
    public var contrast: Float?
    public var saturation: Float?
    /// In steps of two degrees.
    public var hue: Int?
    /// Whether contrast comes before saturation and hue, and not after them.
    public var contrastFirst = false

    public init() {}

    /// A digit for each change that is made, the first one first: 1 brightness, 2 contrast, 3 saturation, 4 hue.
    var orderNumber: Int {
      var digits: [Int] = []
      if brightness != nil { digits.append(1) }
      if contrast != nil, contrastFirst { digits.append(2) }
      if saturation != nil { digits.append(3) }
      if hue != nil { digits.append(4) }
      if contrast != nil, !contrastFirst { digits.append(2) }
      return digits.reduce(0) { $0 * 10 + $1 }
    }
  }

  func draw(from random: inout CounterRandom) -> Drawn {
    var drawn = Drawn()
    // Rounded to what the stream records, so that it says exactly what was done.
    if random.happens(0.5) { drawn.brightness = Float(random.uniform(in: -brightness...brightness)) }
    drawn.contrastFirst = random.happens(0.5)
    if random.happens(0.5) { drawn.contrast = Float(random.uniform(in: contrast)) }
    if random.happens(0.5) { drawn.saturation = Float(random.uniform(in: saturation)) }
    if random.happens(0.5) { drawn.hue = random.below(2 * hue) - hue }
    return drawn
  }

  /// Each level times a factor, and something added: clipped, then cut down to whole numbers.
  private static func table(factor: Float = 1, plus: Float = 0) -> [UInt8] {
    (0...255).map { level in
      let scaled = Float(level) * factor
      return UInt8(min(255, max(0, scaled + plus)))
    }
  }

  private static let same = (0...255).map { UInt8($0) }

  /// Changes pixels in place. A grey picture has neither saturation nor hue.
  static func apply(_ drawn: Drawn, to pixels: Pixels) {
    let area = pixels.height * pixels.width
    func contrast() {
      if let factor = drawn.contrast { pmae_lookup(pixels.base, pixels.count, table(factor: factor)) }
    }
    if let plus = drawn.brightness { pmae_lookup(pixels.base, pixels.count, table(plus: plus)) }
    if drawn.contrastFirst { contrast() }
    if pixels.channels == 3 {
      if let factor = drawn.saturation { pmae_opencv_hsv(pixels.base, area, same, table(factor: factor)) }
      if let steps = drawn.hue {
        let hues = (0...255).map { UInt8((($0 + steps) % 180 + 180) % 180) }
        pmae_opencv_hsv(pixels.base, area, hues, same)
      }
    }
    if !drawn.contrastFirst { contrast() }
  }
}

extension Picture {
  /// The picture after mmsegmentation's photometric distortion.
  public func distorted(_ drawn: PhotometricDistortion.Drawn) -> Picture {
    var copy = self
    copy.withPixels { PhotometricDistortion.apply(drawn, to: $0) }
    return copy
  }
}
