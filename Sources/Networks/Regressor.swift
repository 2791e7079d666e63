import Autodiff
import Compute

/// CAE's latent regressor: masked queries look at visible latents and at each other, in blocks of cross-attention. Names are those
/// of its authors.
public struct Regressor: Network {
  public let blocks: [RegressorBlock]
  let norm: NormWeights

  /// - Parameter dropPath: the last block's rate; it rises linearly from 0 at the first.
  public init(_ encoder: EncoderConfiguration, depth: Int, dropPath: Double, engine: Engine, trained: Bool) {
    blocks = (0..<depth).map {
      RegressorBlock(
        "blocks.\($0)", encoder, dropPath: dropPath * Double($0) / Double(max(depth - 1, 1)), engine: engine,
        trained: trained)
    }
    norm = NormWeights("norm", encoder.width, engine: engine, trained: trained)
  }

  public var parameters: [Parameter] { blocks.flatMap(\.parameters) + norm.parameters }

  /// - Parameters:
  ///   - queries: [B·M, D].
  ///   - visible: the encoder's tokens [B·V, D].
  ///   - positions: a table, and the rows of it for visible and masked patches, [B·(V + M)], of each image the visible first.
  ///   - queryRows: the rows of it for the masked ones alone, [B·M].
  /// - Returns: latents [B·M, D].
  public func callAsFunction(
    _ tape: Tape, _ queries: Tensor, visible: Tensor, positions: (table: Tensor, rows: [Int32]), queryRows: [Int32],
    sequences: Int, keeps: [BranchKeep]?
  ) -> Tensor {
    var x = queries
    for (i, block) in blocks.enumerated() {
      x = block(
        tape, x, visible: visible, positions: positions, queryRows: queryRows, sequences: sequences, keep: keeps?[i])
    }
    return norm(tape, x)
  }
}

/// A block of it. What its MLP is added to is the norm's output, unlike in a `Block`.
public struct RegressorBlock: Network {
  let norms: (query: NormWeights, key: NormWeights, value: NormWeights, mlp: NormWeights)
  let query: LinearWeights
  /// No bias: it would change no softmax.
  let key: Parameter
  let value: LinearWeights
  let projection: LinearWeights
  let fc1: LinearWeights
  let fc2: LinearWeights
  let heads: Int
  public let dropPath: Double

  init(_ name: String, _ encoder: EncoderConfiguration, dropPath: Double, engine: Engine, trained: Bool) {
    let width = encoder.width
    func norm(_ part: String) -> NormWeights {
      NormWeights("\(name).\(part)", width, engine: engine, trained: trained)
    }
    func linear(_ part: String, _ inputs: Int, _ outputs: Int) -> LinearWeights {
      LinearWeights("\(name).\(part)", inputs, outputs, engine: engine, trained: trained)
    }
    norms = (norm("norm1_q"), norm("norm1_k"), norm("norm1_v"), norm("norm2"))
    query = linear("cross_attn.q", width, width)
    key = Parameter("\(name).cross_attn.k.weight", shape: [width, width], engine: engine, trained: trained)
    value = linear("cross_attn.v", width, width)
    projection = linear("cross_attn.proj", width, width)
    fc1 = linear("mlp.fc1", width, encoder.mlpRatio * width)
    fc2 = linear("mlp.fc2", encoder.mlpRatio * width, width)
    heads = encoder.heads
    self.dropPath = dropPath
  }

  public var parameters: [Parameter] {
    norms.query.parameters + norms.key.parameters + norms.value.parameters + norms.mlp.parameters + query.parameters
      + [key] + value.parameters + projection.parameters + fc1.parameters + fc2.parameters
  }

  func callAsFunction(
    _ tape: Tape, _ x: Tensor, visible: Tensor, positions: (table: Tensor, rows: [Int32]), queryRows: [Int32],
    sequences: Int, keep: BranchKeep?
  ) -> Tensor {
    let tokens = x.rows / sequences
    let q = query(
      tape,
      norms.query(
        tape, tape.joinSequences(x, positions: (positions.table, queryRows), sequences: sequences), forProducts: true))
    let k = tape.linear(
      norms.key(
        tape, tape.joinSequences(visible, x, positions: positions, sequences: sequences), forProducts: true),
      key.tensor)
    // Values carry no positions.
    let v = value(
      tape, norms.value(tape, tape.joinSequences(visible, x, sequences: sequences), forProducts: true))
    let mixed = tape.crossAttention(q, keys: k, values: v, sequences: sequences, heads: heads)
    let attended = residual(tape, mixed, onto: x, tokens: tokens, kept: keep?.attention) {
      projection(tape, $0, onto: $1)
    }
    let normed = norms.mlp(tape, attended)
    return residual(tape, normed, onto: normed, tokens: tokens, kept: keep?.mlp) {
      tape.perceptron($0, [fc1.tensors, fc2.tensors], onto: $1)
    }
  }

  /// x + branch over the samples that are kept, their branch scaled by 1 / (1 − drop path).
  private func residual(
    _ tape: Tape, _ input: Tensor, onto x: Tensor, tokens: Int, kept: [Int32]?,
    branch: (_ input: Tensor, _ onto: Residual) -> Tensor
  ) -> Tensor {
    guard let kept else { return branch(input, Residual(x)) }
    if kept.isEmpty { return x }
    let rows = kept.flatMap { s in (0..<Int32(tokens)).map { s * Int32(tokens) + $0 } }
    let isWhole = rows.count == x.rows
    return branch(
      isWhole ? input : tape.gatherRows(input, rows),
      Residual(x, rowsOf: isWhole ? nil : rows, scale: Float(1 / (1 - dropPath))))
  }
}
