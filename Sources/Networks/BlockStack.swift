import Autodiff
import Compute

/// Some transformer blocks and a norm, as an encoder's without its patches: `blocks.0…`, `norm`.
public struct BlockStack: Network {
  public let blocks: [Block]
  let norm: NormWeights

  /// - Parameter dropPath: the last block's rate; it rises linearly from 0 at the first.
  public init(_ encoder: EncoderConfiguration, depth: Int, dropPath: Double, engine: Engine, trained: Bool) {
    blocks = (0..<depth).map {
      Block(
        "blocks.\($0)", width: encoder.width, heads: encoder.heads, mlpRatio: encoder.mlpRatio,
        dropPath: dropPath * Double($0) / Double(max(depth - 1, 1)), engine: engine, trained: trained)
    }
    norm = NormWeights("norm", encoder.width, engine: engine, trained: trained)
  }

  public var parameters: [Parameter] { blocks.flatMap(\.parameters) + norm.parameters }

  /// x [B·T, D] -> normalised tokens [B·T, D].
  public func callAsFunction(_ tape: Tape, _ x: Tensor, sequences: Int, keeps: [BranchKeep]?) -> Tensor {
    var x = x
    for (i, block) in blocks.enumerated() { x = block(tape, x, sequences: sequences, keep: keeps?[i]) }
    return norm(tape, x)
  }
}
