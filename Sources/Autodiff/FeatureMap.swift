import Compute

/// Images on the tape: a tensor whose rows are pixels, those of an image row by row, one image after the other, with their channels as
/// columns: [images · height · width, C].
///
/// Channels are last because products of matrices are what takes the time. So a 1 × 1 convolution is a linear layer, an encoder's tokens
/// are a map as they lie, and what one place of a 3 × 3 kernel reads of a row of pixels is a matrix in memory. PyTorch's [N, C, H, W]
/// would have to be turned for each of them.
public struct FeatureMap {
  public let raster: Raster
  public let tensor: Tensor

  /// - Parameter tensor: a row for each pixel of the raster.
  public init(_ tensor: Tensor, _ raster: Raster) {
    precondition(tensor.rows == raster.pixels, "\(tensor.rows) rows for \(raster.pixels) pixels")
    (self.tensor, self.raster) = (tensor, raster)
  }

  public init(_ tensor: Tensor, images: Int, height: Int, width: Int) {
    self.init(tensor, Raster(images: images, height: height, width: width))
  }

  public var images: Int { raster.images }
  public var height: Int { raster.height }
  public var width: Int { raster.width }
  public var channels: Int { tensor.columns }

  /// The same pixels with other values.
  public func with(_ tensor: Tensor) -> FeatureMap { FeatureMap(tensor, raster) }
}
