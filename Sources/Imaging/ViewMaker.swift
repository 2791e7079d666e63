// Makes a view: crop and resize, flip, jitter, grey, blur, solarise, in the order of DINO's and MAE's pipelines.

/// Makes views; keeps its memory from one to the next. For one thread at a time.
final class ViewMaker {
  private let resampler = Resampler()
  private let blur = Blur()
  private let grey = Scratch<UInt8>()

  /// Makes the view of `source` that `draw` says, [size, size, channels], at `out`. `channels` is 3, or 1 for a grey source.
  ///
  /// A grey source is worked on with one channel, a third of the work: every step gives equal channels from equal channels.
  func make(_ draw: ViewDraw, of source: Pixels, size: Int, channels: Int = 3, to out: UnsafeMutablePointer<UInt8>) {
    let area = size * size
    let target = source.channels == channels ? out : grey.reserve(area)
    let view = Pixels(base: target, height: size, width: size, channels: source.channels)
    let whole = CropBox(top: 0, left: 0, height: size, width: size)
    switch draw.crop {
    case .box(let box):
      resampler.resize(
        source.cropped(box), height: size, width: size, window: whole, interpolation: .bicubic, to: target)
    case .center(let center):
      let resized = center.resizedSize(height: source.height, width: source.width)
      resampler.resize(
        source, height: resized.height, width: resized.width,
        window: center.window(height: resized.height, width: resized.width), interpolation: .bicubic, to: target)
    }
    if draw.flip { Colour.flip(view) }
    if let jitter = draw.jitter {
      for change in jitter.order {
        switch change {
        case .brightness: Colour.brightness(view, jitter.brightness)
        case .contrast: Colour.contrast(view, jitter.contrast)
        case .saturation: Colour.saturation(view, jitter.saturation)
        case .hue: Hue.turn(view, jitter.hue)
        }
      }
    }
    if draw.grey { Colour.grey(view) }
    if let sigma = draw.blurSigma { blur.gaussian(view, sigma: sigma) }
    if draw.solarise { Colour.solarise(view) }
    if source.channels == 1 && channels == 3 {
      for i in 0..<area {
        let value = target[i]
        out[3 &* i] = value
        out[3 &* i &+ 1] = value
        out[3 &* i &+ 2] = value
      }
    }
  }
}

extension Picture {
  /// The view that `draw` says: [size, size, 3]. Precondition: a crop box lies inside the picture.
  public func view(_ draw: ViewDraw, size: Int) -> Picture {
    if case .box(let box) = draw.crop {
      precondition(box.top >= 0 && box.left >= 0 && box.top + box.height <= height && box.left + box.width <= width)
    }
    var copy = self
    var result = Picture(height: size, width: size, channels: 3, pixels: [UInt8](repeating: 0, count: size * size * 3))
    copy.withPixels { source in
      result.withPixels { ViewMaker().make(draw, of: source, size: size, to: $0.base) }
    }
    return result
  }
}
