/// Pixels as rows of a matrix: those of an image row by row, one image after the other, [images · height · width, C].
public struct Raster: Equatable, Sendable {
  public let images: Int
  public let height: Int
  public let width: Int

  public init(images: Int, height: Int, width: Int) {
    (self.images, self.height, self.width) = (images, height, width)
  }

  public var pixels: Int { images * height * width }

  /// The row of a pixel's values.
  @inline(__always)
  public func row(_ image: Int, _ y: Int, _ x: Int) -> Int { (image * height + y) * width + x }
}

/// The places of a square kernel of an odd side around its middle, in the order of a weight's last two dimensions.
struct KernelPlaces {
  let side: Int
  var count: Int { side * side }

  /// How far the pixel that a place reads lies from the one that is computed.
  func offset(_ place: Int) -> (y: Int, x: Int) { (place / side - side / 2, place % side - side / 2) }

  /// All places, the middle first: the only one that every pixel of an image has.
  var middleFirst: [Int] { [count / 2] + (0..<count).filter { $0 != count / 2 } }
}
