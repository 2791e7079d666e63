import Autodiff
import Compute

/// How an image's tokens become one feature, after the encoder's last norm.
public enum Pooling: String, Codable, CaseIterable, Sendable {
  /// The class token.
  case classToken = "class"
  /// The mean of the patch tokens.
  case mean
  /// The means of 3 × 3 parts of the picture, one behind the other. It keeps where things are, as pixels do.
  case grid

  /// Values of a feature, of tokens of this width.
  public func width(of token: Int) -> Int { self == .grid ? token * Self.side * Self.side : token }

  /// Parts along a side of a grid.
  public static let side = 3
}

extension Encoder {
  /// The tokens of whole images, pooled: [B, D], or [B, 9 D] for a grid. Where the class token is all that is wanted, the last block
  /// computes no other's MLP.
  /// - Parameter keeps: for drop path, a block each.
  public func pooled(
    _ tape: Tape, _ images: ImageBatch, _ pooling: Pooling, keeps: [BranchKeep]? = nil
  ) -> Tensor {
    switch pooling {
    case .classToken:
      let side = images.side / configuration.patch
      let rows = (0..<Int32(images.count)).map { $0 * Int32(1 + side * side) }
      return self(tape, images, keeps: keeps, wanted: rows)
    case .mean: return tape.meanOfPatches(self(tape, images, keeps: keeps), sequences: images.count)
    case .grid: return tape.meansOfParts(self(tape, images, keeps: keeps), sequences: images.count, side: Pooling.side)
    }
  }
}
