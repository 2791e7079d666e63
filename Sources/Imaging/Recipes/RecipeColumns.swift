// The columns of `<recipe>.parameters`: of all that can be drawn, what a recipe may draw.

extension Recipe {
  /// What is recorded of each draw.
  public enum Column: Sendable, Equatable {
    case top, left, height, width, filter, flip, vflip, variant
    case jitterOrder, brightness, contrast, saturation, hue, grey, blurSigma, solarise
    /// A part of RandAugment's layer, from 0.
    case rand(layer: Int, RandPart)
    case eraseSeed
    /// The size of the whole picture from which a view was cut, and where in it.
    case scaledHeight, scaledWidth, scaledTop, scaledLeft
    case photometricOrder, photometricBrightness, photometricContrast, photometricSaturation, photometricHue
    /// A side of an erased rectangle, from 0.
    case erase(number: Int, Side)

    public enum RandPart: String, Sendable, CaseIterable {
      case operation, argument, filter
    }

    public enum Side: String, Sendable, CaseIterable {
      case top, left, height, width

      func value(of box: CropBox) -> Float {
        switch self {
        case .top: Float(box.top)
        case .left: Float(box.left)
        case .height: Float(box.height)
        case .width: Float(box.width)
        }
      }
    }

    /// As the stream's metadata has it; layers and rectangles count from 1 there.
    public var name: String {
      switch self {
      case .jitterOrder: "jitter_order"
      case .blurSigma: "blur_sigma"
      case .eraseSeed: "erase_seed"
      case .scaledHeight: "scaled_height"
      case .scaledWidth: "scaled_width"
      case .scaledTop: "scaled_top"
      case .scaledLeft: "scaled_left"
      case .photometricOrder: "photometric_order"
      case .photometricBrightness: "photometric_brightness"
      case .photometricContrast: "photometric_contrast"
      case .photometricSaturation: "photometric_saturation"
      case .photometricHue: "photometric_hue"
      case .rand(let layer, let part): "rand\(layer + 1)_\(part.rawValue)"
      case .erase(let number, let side): "erase\(number + 1)_\(side.rawValue)"
      default: "\(self)"
      }
    }
  }

  /// In the order in which they are recorded.
  public var columns: [Column] {
    var columns: [Column] = [.top, .left, .height, .width]
    func add(_ new: [Column], where condition: (Variant) -> Bool) {
      if variants.contains(where: condition) { columns += new }
    }
    add([.scaledHeight, .scaledWidth]) {
      switch $0.crop {
      case .scaled, .whole: true
      case .random, .center: false
      }
    }
    add([.scaledTop, .scaledLeft]) { if case .scaled = $0.crop { true } else { false } }
    add([.filter]) { $0.drawsInterpolation }
    add([.flip]) { $0.flip > 0 }
    add([.vflip]) { $0.vflip > 0 }
    if variants.count > 1 { columns.append(.variant) }
    add([.jitterOrder, .brightness, .contrast, .saturation, .hue]) { $0.jitter != nil }
    add([.grey]) { $0.grey > 0 }
    add([.blurSigma]) { $0.blur > 0 }
    add([.solarise]) { $0.solarise > 0 }
    for layer in 0..<(variants.compactMap { $0.rand?.layers }.max() ?? 0) {
      columns += Column.RandPart.allCases.map { .rand(layer: layer, $0) }
    }
    add([.eraseSeed]) { $0.erase != nil }
    for number in 0..<(variants.compactMap { $0.erase?.count }.max() ?? 0) {
      columns += Column.Side.allCases.map { .erase(number: number, $0) }
    }
    add([
      .photometricOrder, .photometricBrightness, .photometricContrast, .photometricSaturation, .photometricHue,
    ]) { $0.photometric != nil }
    return columns
  }
}

extension Interpolation {
  /// Pillow's number for it.
  var number: Float { self == .bilinear ? 2 : 3 }
}
