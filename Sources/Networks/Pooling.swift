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

extension Tape {
  /// An encoder's normalised tokens [B·(1 + N), D] -> features [B, D], or [B, 9 D] for a grid.
  public func pool(_ tokens: Tensor, images: Int, _ pooling: Pooling) -> Tensor {
    switch pooling {
    case .classToken:
      let perImage = Int32(tokens.rows / images)
      return gatherRows(tokens, (0..<Int32(images)).map { $0 * perImage })
    case .mean: return meanOfPatches(tokens, sequences: images)
    case .grid: return meansOfParts(tokens, sequences: images, side: Pooling.side)
    }
  }
}
