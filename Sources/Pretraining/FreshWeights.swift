import Autodiff
import Networks

/// Fresh weights that several objectives' authors chose.
public enum FreshWeights {
  /// Matrices, the patch embedding among them, and tokens normal with deviation 0.02, cut at ±0.02. What block i (from 1) adds to
  /// the residual stream is divided by √(2i), so that the stream does not grow with depth. Biases are zero.
  public static func residualScaled(_ encoder: Encoder, seed: UInt64, part: Int) {
    initialise(encoder, seed: seed, part: part) { $0.shape.count > 1 ? small : nil }
    for parameter in encoder.parameters {
      let words = parameter.name.split(separator: ".")
      guard words.count == 5, words[0] == "blocks", words[4] == "weight", words[3] == "proj" || words[3] == "fc2",
        let block = Int(words[1])
      else { continue }
      let scale = Float(1 / Double(2 * (block + 1)).squareRoot())
      parameter.values.withValues { values in for i in values.indices { values[i] *= scale } }
    }
  }

  /// Normal with deviation 0.02, cut at ±0.02.
  public static let small = Distribution.normal(0.02, cut: 0.02)
}
