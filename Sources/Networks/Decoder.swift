import Autodiff
import Compute

/// MAE's decoder. Its prediction goes back to the encoder's width for every token, the class token too (labels need it),
/// or to a patch's pixels for MAE's own objective.
public struct Decoder: Network {
  public let configuration: DecoderConfiguration
  let embedding: LinearWeights
  let maskToken: Parameter
  let positions: Tensor
  let blocks: [Block]
  let norm: NormWeights
  let prediction: LinearWeights

  /// - Parameters:
  ///   - encoder: whose tokens it reads.
  ///   - output: values predicted for a token.
  public init(
    _ configuration: DecoderConfiguration, encoder: EncoderConfiguration, output: Int, engine: Engine, trained: Bool
  ) {
    let c = configuration
    self.configuration = c
    embedding = LinearWeights("decoder_embed", encoder.width, c.width, engine: engine, trained: trained)
    maskToken = Parameter("mask_token", shape: [1, 1, c.width], engine: engine, trained: trained)
    positions = positionTable(width: c.width, grid: encoder.grid, engine: engine)
    blocks = (0..<c.depth).map {
      Block(
        "decoder_blocks.\($0)", width: c.width, heads: c.heads, mlpRatio: 4, engine: engine, trained: trained)
    }
    norm = NormWeights("decoder_norm", c.width, engine: engine, trained: trained)
    prediction = LinearWeights("decoder_pred", c.width, output, engine: engine, trained: trained)
  }

  public var parameters: [Parameter] {
    embedding.parameters + [maskToken] + blocks.flatMap(\.parameters) + norm.parameters + prediction.parameters
  }

  public var constants: [Constant] {
    [Constant(name: "decoder_pos_embed", shape: [1, positions.rows, positions.columns], tensor: positions)]
  }

  /// - Parameters:
  ///   - latent: the encoder's tokens [B·(1 + V), D].
  ///   - shuffle: a permutation of patches an image [B·N], its first V the visible ones.
  ///   - wanted: rows of [B·(1 + N)] whose prediction is needed. After the last attention the others are left out.
  /// - Returns: predictions [wanted.count, output].
  public func callAsFunction(
    _ tape: Tape, _ latent: Tensor, shuffle: [Int32], sequences: Int, wanted: [Int32]
  ) -> Tensor {
    let (tokens, rowOf) = tape.decoderTokens(
      embedding(tape, latent), maskToken: maskToken.tensor, positions: positions, shuffle: shuffle,
      sequences: sequences)
    var x = tokens
    for (i, block) in blocks.enumerated() {
      x = block(
        tape, x, rowOf: i == 0 ? rowOf : nil, sequences: sequences, wanted: i == blocks.count - 1 ? wanted : nil)
    }
    return prediction(tape, norm(tape, x))
  }
}
