import Autodiff
import Compute

/// How an image's tokens become one feature, after the encoder's last norm.
public enum Pooling: String, Codable, CaseIterable, Sendable {
  /// The class token.
  case classToken = "class"
  /// The mean of the patch tokens.
  case mean
}

extension Tape {
  /// An encoder's normalised tokens [B·(1 + N), D] -> features [B, D].
  public func pool(_ tokens: Tensor, images: Int, _ pooling: Pooling) -> Tensor {
    switch pooling {
    case .classToken:
      let perImage = Int32(tokens.rows / images)
      return gatherRows(tokens, (0..<Int32(images)).map { $0 * perImage })
    case .mean: return meanOfPatches(tokens, sequences: images)
    }
  }
}
