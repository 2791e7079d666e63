import Autodiff
import CKernels
import Compute
import Foundation

/// What an encoder makes of some images, and where its class token looks while it does.
public struct EncoderLook {
  /// Normalised tokens [B·(1 + N), D], the class token first in each image.
  public let tokens: Tensor
  /// For each image and head of the last block, the class token's softmax over all 1 + N tokens, itself the first: [B, heads, 1 + N].
  public let attention: [Float]
  public let heads: Int
  /// 1 + N.
  public let tokensPerImage: Int

  /// A head's share for each patch of an image, [N]: all but what the class token keeps for itself.
  public func patchAttention(image: Int, head: Int) -> ArraySlice<Float> {
    let start = (image * heads + head) * tokensPerImage
    return attention[start + 1..<start + tokensPerImage]
  }

  /// The patches' features, [N, D] of an image.
  public func patchFeatures(image: Int) -> [[Float]] {
    (1..<tokensPerImage).map { t in
      tokens.values(ofRow: image * tokensPerImage + t)
    }
  }
}

extension Encoder {
  /// Computes all patches of some images as `callAsFunction` does, and keeps the class token's attention in the last block, as DINO's
  /// pictures show it. The engine's precision must be float32.
  public func look(at images: ImageBatch, engine: Engine) -> EncoderLook {
    let tape = Tape(engine, recording: false, precision: .float32)
    let (c, count) = (configuration, images.count)
    let ids = (0..<count).flatMap { _ in 0..<Int32(c.patches) }
    var x = embed(tape, images, ids: ids, sequences: count)
    var attention: [Float] = []
    for (i, block) in blocks.enumerated() {
      if i == blocks.count - 1 { attention = block.classAttention(tape, x, sequences: count) }
      x = block(tape, x, sequences: count)
    }
    return EncoderLook(
      tokens: norm(tape, x), attention: attention, heads: c.heads, tokensPerImage: 1 + c.patches)
  }
}

extension Block {
  /// The first row of softmax(Q Kᵀ / √d) of each sequence and head: x [B·T, D] -> [B, heads, T].
  fileprivate func classAttention(_ tape: Tape, _ x: Tensor, sequences: Int) -> [Float] {
    let tokens = x.rows / sequences
    let width = x.columns
    let depth = width / heads
    return qkv(tape, norm1(tape, x)).withMatrix { mixed in
      (0..<sequences * heads).flatMap { place in
        let (first, column) = (place / heads * tokens, place % heads * depth)
        let query = mixed.row(first) + column
        let scores = (0..<tokens).map { t in
          pmae_dot(query, mixed.row(first + t) + width + column, depth) / Double(depth).squareRoot()
        }
        let greatest = scores.max() ?? 0
        let shares = scores.map { exp($0 - greatest) }
        let sum = shares.reduce(0, +)
        return shares.map { Float($0 / sum) }
      }
    }
  }
}
