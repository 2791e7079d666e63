// Makes a view: crop and resize, then the recipe's steps in its order.

/// Makes views; keeps its memory from one to the next. For one thread at a time.
final class ViewMaker {
  private let resampler = Resampler()
  private let blur = Blur()
  private let grey = Scratch<UInt8>()
  private let augmenter = RandAugmenter()
  private let statistics: ChannelStatistics

  /// - Parameter statistics: what is filled in and erased with.
  init(statistics: ChannelStatistics = .imageNet) { self.statistics = statistics }

  /// Makes the view of `source` that `draw` says, [size, size, channels], at `out`. `channels` is 3, or 1 for a grey source.
  ///
  /// A grey source is worked on with one channel, a third of the work: every step gives equal channels from equal
  /// channels, but for those that fill or erase.
  func make(_ draw: ViewDraw, of source: Pixels, size: Int, channels: Int = 3, to out: UnsafeMutablePointer<UInt8>) {
    let target = source.channels == channels ? out : grey.reserve(size * size)
    var view = Pixels(base: target, height: size, width: size, channels: source.channels)
    let whole = CropBox(top: 0, left: 0, height: size, width: size)
    switch draw.crop {
    case .box(let box):
      resampler.resize(
        source.cropped(box), height: size, width: size, window: whole, interpolation: draw.interpolation, to: target)
    case .center(let center):
      let resized = center.resizedSize(height: source.height, width: source.width)
      resampler.resize(
        source, height: resized.height, width: resized.width,
        window: center.window(height: resized.height, width: resized.width), interpolation: draw.interpolation,
        to: target)
    }
    if view.channels < channels && draw.needsEveryChannel { view = Self.spread(view, to: out) }
    for step in draw.order { apply(step, draw, to: view) }
    if view.channels < channels { _ = Self.spread(view, to: out) }
  }

  /// A grey picture with three equal channels, at `out`.
  private static func spread(_ grey: Pixels, to out: UnsafeMutablePointer<UInt8>) -> Pixels {
    for i in 0..<grey.count {
      let value = grey.base[i]
      out[3 &* i] = value
      out[3 &* i &+ 1] = value
      out[3 &* i &+ 2] = value
    }
    return Pixels(base: out, height: grey.height, width: grey.width, channels: 3)
  }

  private func apply(_ step: Recipe.Step, _ draw: ViewDraw, to view: Pixels) {
    switch step {
    case .flip: if draw.flip { Colour.flip(view) }
    case .jitter:
      guard let jitter = draw.jitter else { return }
      for change in jitter.order {
        switch change {
        case .brightness: Colour.brightness(view, jitter.brightness)
        case .contrast: Colour.contrast(view, jitter.contrast)
        case .saturation: Colour.saturation(view, jitter.saturation)
        case .hue: Colour.hue(view, jitter.hue)
        }
      }
    case .grey: if draw.grey { Colour.grey(view) }
    case .blur: if let sigma = draw.blurSigma { blur.gaussian(view, sigma: sigma) }
    case .solarise: if draw.solarise { Colour.solarise(view) }
    case .rand:
      for case let layer? in draw.rand { augmenter.apply(layer, to: view, statistics: statistics) }
    case .erase: if let erased = draw.erased { RandomErasing.erase(erased, in: view, statistics: statistics) }
    }
  }
}

extension Picture {
  /// The view that `draw` says: [size, size, 3]. Precondition: a crop box lies inside the picture, and erased ones
  /// inside the view.
  public func view(_ draw: ViewDraw, size: Int, statistics: ChannelStatistics = .imageNet) -> Picture {
    if case .box(let box) = draw.crop {
      precondition(box.top >= 0 && box.left >= 0 && box.top + box.height <= height && box.left + box.width <= width)
    }
    var copy = self
    var result = Picture(height: size, width: size, channels: 3, pixels: [UInt8](repeating: 0, count: size * size * 3))
    copy.withPixels { source in
      result.withPixels { ViewMaker(statistics: statistics).make(draw, of: source, size: size, to: $0.base) }
    }
    return result
  }
}
