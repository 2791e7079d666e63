// Makes a view: crop and resize, then the recipe's steps in its order; and the view of a mask.

import Schemas

/// Makes views; keeps its memory from one to the next. For one thread at a time.
final class ViewMaker {
  private let resampler = Resampler()
  private let blur = Blur()
  private let grey = Scratch<UInt8>()
  let linear = LinearResampler()
  private let piece = Scratch<UInt8>()
  private let augmenter = RandAugmenter()
  private let statistics: ChannelStatistics

  /// - Parameter statistics: what is filled in and erased with.
  init(statistics: ChannelStatistics = .imageNet) { self.statistics = statistics }

  /// Makes the view of `source` that `draw` says, [size, size, channels], at `out`. `channels` is 3, or 1 for a grey source.
  ///
  /// A grey source is worked on with one channel, a third of the work: every step gives equal channels from equal
  /// channels, but for those that fill or erase.
  func make(_ draw: ViewDraw, of source: Pixels, size: Int, channels: Int = 3, to out: UnsafeMutablePointer<UInt8>) {
    if case .scaled(let drawn, let side) = draw.crop {
      return make(draw, drawn, side: side, of: source, channels: channels, to: out)
    }
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
    case .scaled, .whole: preconditionFailure("made by other ways")
    }
    if view.channels < channels && draw.needsEveryChannel { view = Self.spread(view, to: out) }
    for step in draw.order { apply(step, draw, to: view) }
    if view.channels < channels { _ = Self.spread(view, to: out) }
  }

  /// A square of the scaled picture. What the picture does not fill, below and on the right, gets the rounded mean after all steps, so
  /// that it is as near to 0 as bytes come once the network has subtracted the mean.
  private func make(
    _ draw: ViewDraw, _ drawn: ScaledCrop.Drawn, side: Int, of source: Pixels, channels: Int,
    to out: UnsafeMutablePointer<UInt8>
  ) {
    let window = drawn.window(side: side)
    let isWhole = window.height == side && window.width == side && source.channels == channels
    let base = isWhole ? out : piece.reserve(window.height * window.width * source.channels)
    let view = Pixels(base: base, height: window.height, width: window.width, channels: source.channels)
    linear.resize(
      source, height: drawn.height, width: drawn.width, window: window, to: base, stride: window.width * source.channels
    )
    for step in draw.order { apply(step, draw, to: view) }
    if isWhole { return }
    let fill = (0..<channels).map { statistics.fill($0) }
    for y in 0..<side {
      let row = out + y * side * channels
      let filled = y < window.height ? window.width : 0
      for x in 0..<filled {
        for c in 0..<channels {
          row[x * channels + c] = view.row(y)[x * source.channels + (source.channels == channels ? c : 0)]
        }
      }
      for x in filled..<side {
        for c in 0..<channels { row[x * channels + c] = fill[c] }
      }
    }
  }

  /// The class ids of the view's pixels, [size, size], at `out`; where the picture ends, no class.
  func make(mask draw: ViewDraw, of ids: Pixels, size: Int, to out: UnsafeMutablePointer<UInt8>) {
    let rows: [Int32]
    let columns: [Int32]
    switch draw.crop {
    case .box(let box):
      rows = NearestMap.pillow(input: box.height, output: size).map { $0 + Int32(box.top) }
      columns = NearestMap.pillow(input: box.width, output: size).map { $0 + Int32(box.left) }
    case .center(let center):
      let resized = center.resizedSize(height: ids.height, width: ids.width)
      let window = center.window(height: resized.height, width: resized.width)
      rows = NearestMap.pillow(
        input: ids.height, output: resized.height, range: window.top..<window.top + window.height)
      columns = NearestMap.pillow(
        input: ids.width, output: resized.width, range: window.left..<window.left + window.width)
    case .scaled(let drawn, let side):
      let window = drawn.window(side: side)
      rows = NearestMap.openCV(
        input: ids.height, output: drawn.height, range: window.top..<window.top + window.height)
      columns = NearestMap.openCV(
        input: ids.width, output: drawn.width, range: window.left..<window.left + window.width)
    case .whole: preconditionFailure("a whole picture's mask stays as it is")
    }
    let (down, across) = (draw.vflip ? rows.reversed() : rows, draw.flip ? columns.reversed() : columns)
    if down.count == size, across.count == size {
      _ = NearestMap.take(ids, rows: down, columns: across, to: out)
      return
    }
    let part = NearestMap.take(ids, rows: down, columns: across, to: piece.reserve(down.count * across.count))
    for y in 0..<size {
      let row = out + y * size
      let filled = y < part.height ? part.width : 0
      if filled > 0 { row.update(from: part.row(y), count: filled) }
      (row + filled).update(repeating: MaskClasses.ignored, count: size - filled)
    }
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
    case .vflip: if draw.vflip { Colour.vflip(view) }
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
    case .photometric: if let drawn = draw.photometric { PhotometricDistortion.apply(drawn, to: view) }
    case .rand:
      for case let layer? in draw.rand { augmenter.apply(layer, to: view, statistics: statistics) }
    case .erase: if let erased = draw.erased { RandomErasing.erase(erased, in: view, statistics: statistics) }
    }
  }
}

extension Picture {
  /// The class ids that `draw` shows, [size, size]; the picture holds class ids. Precondition: as of `view`.
  public func maskView(_ draw: ViewDraw, size: Int) -> Picture {
    precondition(channels == 1)
    var copy = self
    var result = Picture(height: size, width: size, channels: 1, pixels: [UInt8](repeating: 0, count: size * size))
    copy.withPixels { ids in result.withPixels { ViewMaker().make(mask: draw, of: ids, size: size, to: $0.base) } }
    return result
  }

  /// The view that `draw` says: [size, size, 3]. Precondition: a crop box lies inside the picture, and erased ones
  /// inside the view; it is not of the whole picture.
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
