// Which rectangle of a picture a view shows: torchvision's RandomResizedCrop, and resize-then-center-crop for evaluation.

import Foundation
import Parallel

/// torchvision's RandomResizedCrop: a share of the area and an aspect ratio, drawn up to ten times until they fit.
public struct RandomCrop: Sendable, Equatable {
  /// The share of the picture's area, drawn uniformly from here.
  public var scale: ClosedRange<Double>
  /// Width over height; its logarithm is drawn uniformly.
  public var ratio: ClosedRange<Double>

  public init(scale: ClosedRange<Double>, ratio: ClosedRange<Double> = 3.0 / 4.0...4.0 / 3.0) {
    self.scale = scale
    self.ratio = ratio
  }

  /// Draws a rectangle inside a picture of `height` × `width` pixels. After ten tries that do not fit, it is the largest one in the
  /// center whose ratio is allowed.
  public func draw(height: Int, width: Int, from random: inout CounterRandom) -> CropBox {
    let area = Double(height * width)
    let logarithms = log(ratio.lowerBound)...log(ratio.upperBound)
    for _ in 0..<10 {
      let target = area * random.uniform(in: scale)
      let aspect = exp(random.uniform(in: logarithms))
      let w = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
      let h = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
      if w > 0, w <= width, h > 0, h <= height {
        let top = random.below(height - h + 1)
        let left = random.below(width - w + 1)
        return CropBox(top: top, left: left, height: h, width: w)
      }
    }
    var (h, w) = (height, width)
    let actual = Double(width) / Double(height)
    if actual < ratio.lowerBound {
      h = Int((Double(w) / ratio.lowerBound).rounded(.toNearestOrEven))
    } else if actual > ratio.upperBound {
      w = Int((Double(h) * ratio.upperBound).rounded(.toNearestOrEven))
    }
    return CropBox(top: (height - h) / 2, left: (width - w) / 2, height: h, width: w)
  }
}

/// Evaluation's crop: the picture is resized until its shorter side is `shortSide`, and a `size` × `size` square taken from the
/// center. As torchvision's `Resize(shortSide)` and `CenterCrop(size)`, with timm's ratio between the two.
public struct CenterCrop: Sendable, Equatable {
  public var size: Int
  public var shortSide: Int

  /// `ratio` is the square's side over the shorter side, above 0 and at most 1: 0.875 is 224 of 256.
  public init(size: Int, ratio: Double) {
    precondition(size > 0 && ratio > 0 && ratio <= 1)
    self.size = size
    shortSide = max(size, Int((Double(size) / ratio).rounded(.down)))
  }

  /// The size of the whole picture after resizing.
  func resizedSize(height: Int, width: Int) -> (height: Int, width: Int) {
    Imaging.resizedSize(height: height, width: width, shortSide: shortSide)
  }

  /// The square, in pixels of the resized picture.
  func window(height: Int, width: Int) -> CropBox {
    let top = (Double(height - size) / 2).rounded(.toNearestOrEven)
    let left = (Double(width - size) / 2).rounded(.toNearestOrEven)
    return CropBox(top: Int(top), left: Int(left), height: size, width: size)
  }
}

/// The size of a picture whose shorter side is made `shortSide`: the longer one is cut down to whole pixels, as by torchvision's
/// `Resize(shortSide)`.
func resizedSize(height: Int, width: Int, shortSide: Int) -> (height: Int, width: Int) {
  if width <= height { return (Int(Double(shortSide * height) / Double(width)), shortSide) }
  return (shortSide, Int(Double(shortSide * width) / Double(height)))
}
