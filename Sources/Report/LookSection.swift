import Evaluation
import Imaging
import TensorStream

extension Report {
  /// Some images, what the model looks at in them, and what it tells apart.
  /// - Parameters:
  ///   - looks: one for each image, of a square number of patches.
  ///   - name: what a class is called.
  /// - Throws: as a JPEG's encoder does.
  public mutating func add(
    looked: LookedImages, looks: [LookedImages.Look], name: (Int) -> String
  ) throws {
    let rows = zip(looked.images, looks).map { image, look in
      let (label, said) = (Int(image.verdict.label), Int(image.verdict.predicted))
      let picture = Picture(height: looked.side, width: looked.side, channels: looked.channels, pixels: image.pixels)
      return [
        ReportPicture(
          picture, name: image.name ?? "image \(image.index)",
          lines: label == said ? ["is \(name(label))"] : ["is \(name(label))", "said: \(name(said))"],
          isWrong: label != said),
        ReportPicture(Self.lit(picture, by: look.attention), name: "attention of the class token", lines: []),
        ReportPicture(
          Self.coloured(look.components, side: looked.side), name: "principal components of the patches", lines: []),
      ]
    }
    try add(
      rows: rows, title: "What the model sees",
      about:
        "Images from all of the set. The second picture is bright where the class token looks in the last block, the mean of "
        + "all heads. In the third, patches of like colour have like features.", relation: "as the model sees it",
      wraps: true)
  }

  /// The patch of a pixel.
  private static func patch(_ y: Int, _ x: Int, side: Int, grid: Int) -> Int {
    y * grid / side * grid + x * grid / side
  }

  private static func gridSide(of patches: Int) -> Int { Int(Double(patches).squareRoot().rounded()) }

  /// A picture as bright as each patch's share; the greatest is as it is.
  private static func lit(_ picture: Picture, by shares: [Float]) -> Picture {
    let greatest = max(shares.max() ?? 0, .leastNormalMagnitude)
    let (side, channels, grid) = (picture.width, picture.channels, gridSide(of: shares.count))
    let pixels = picture.pixels.enumerated().map { place, value in
      let (y, x) = (place / channels).quotientAndRemainder(dividingBy: side)
      let share = shares[patch(y, x, side: side, grid: grid)] / greatest
      return UInt8((Float(value) * (0.1 + 0.9 * share)).rounded())
    }
    return Picture(height: side, width: side, channels: channels, pixels: pixels)
  }

  /// Each patch in the colour that three shares make.
  private static func coloured(_ shares: [[Double]], side: Int) -> Picture {
    let grid = gridSide(of: shares.count)
    let pixels = (0..<side * side).flatMap { place in
      shares[patch(place / side, place % side, side: side, grid: grid)].map { UInt8((255 * $0).rounded()) }
    }
    return Picture(height: side, width: side, channels: 3, pixels: pixels)
  }
}
