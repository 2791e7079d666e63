import Autodiff
import Compute

/// A pre-norm transformer block with timm's names: x + attention(norm(x)), then x + MLP(norm(x)), each branch
/// times LayerScale's γ where it has one.
public struct Block: Network {
  package let norm1: NormWeights
  package let qkv: LinearWeights
  let projection: LinearWeights
  /// LayerScale's factors of the two branches' columns [D]; nil where it has none.
  let scale1: Parameter?
  let norm2: NormWeights
  let fc1: LinearWeights
  let fc2: LinearWeights
  let scale2: Parameter?
  package let heads: Int
  /// The share of samples that a residual branch leaves out in training (Huang et al., stochastic depth).
  public var dropPath: Double

  init(
    _ name: String, width: Int, heads: Int, mlpRatio: Int, layerScale: Bool = false, normEpsilon: Double = 1e-6,
    dropPath: Double = 0, engine: Engine, trained: Bool
  ) {
    func scale(_ part: String) -> Parameter? {
      if !layerScale { return nil }
      let gamma = Parameter("\(name).\(part).gamma", shape: [width], engine: engine, trained: trained)
      // DINOv2's start: a block is nearly the identity.
      gamma.values.withValues { $0.update(repeating: 1e-5) }
      return gamma
    }
    norm1 = NormWeights("\(name).norm1", width, epsilon: normEpsilon, engine: engine, trained: trained)
    qkv = LinearWeights("\(name).attn.qkv", width, 3 * width, engine: engine, trained: trained)
    projection = LinearWeights("\(name).attn.proj", width, width, engine: engine, trained: trained)
    scale1 = scale("ls1")
    norm2 = NormWeights("\(name).norm2", width, epsilon: normEpsilon, engine: engine, trained: trained)
    fc1 = LinearWeights("\(name).mlp.fc1", width, mlpRatio * width, engine: engine, trained: trained)
    fc2 = LinearWeights("\(name).mlp.fc2", mlpRatio * width, width, engine: engine, trained: trained)
    scale2 = scale("ls2")
    self.heads = heads
    self.dropPath = dropPath
  }

  public var parameters: [Parameter] {
    norm1.parameters + qkv.parameters + projection.parameters + [scale1].compactMap(\.self) + norm2.parameters
      + fc1.parameters + fc2.parameters + [scale2].compactMap(\.self)
  }

  /// x [B·T, D] -> [B·T, D].
  /// - Parameters:
  ///   - rowOf: where given, the row of x that each of the B·T tokens is. x then has each of its rows once, and so are queries, keys and
  ///     values computed. Without `keep`.
  ///   - keep: for each of the two branches, which samples it is computed for; nil for all, unscaled.
  ///   - wanted: where given, the rows whose output is needed; the MLP is computed for them alone: -> [wanted.count, D].
  package func callAsFunction(
    _ tape: Tape, _ x: Tensor, rowOf: [Int32]? = nil, sequences: Int, keep: BranchKeep? = nil, wanted: [Int32]? = nil
  ) -> Tensor {
    precondition(rowOf == nil || keep == nil)
    func placed(_ x: Tensor) -> Tensor { rowOf.map { tape.gatherRows(x, $0) } ?? x }
    let (distinct, all) = (x, placed(x))
    let tokens = all.rows / sequences
    var x = residual(all, tokens: tokens, kept: keep?.attention) { rowsOf, onto in
      let mixed = tape.attention(
        placed(
          qkv(
            tape, norm1(tape, distinct, rowsOf: rowsOf, forProducts: true),
            forProducts: tape.attendsInBFloat16(tokens: tokens, depth: all.columns / heads))),
        sequences: (rowsOf?.count ?? all.rows) / tokens, tokens: tokens, heads: heads)
      guard let scale1 else { return projection(tape, mixed, onto: onto) }
      return tape.layerScaled(projection(tape, mixed), by: scale1.tensor, onto: onto)
    }
    if let wanted { x = tape.gatherRows(x, wanted) }
    let rows: [Int32]? = wanted.flatMap { wanted in keep.map { Self.rows(of: wanted, tokens: tokens, kept: $0.mlp) } }
    return residual(x, tokens: tokens, kept: keep?.mlp, rows: rows) { rowsOf, onto in
      let (normed, layers) = (norm2(tape, x, rowsOf: rowsOf, forProducts: true), [fc1.tensors, fc2.tensors])
      guard let scale2 else { return tape.perceptron(normed, layers, onto: onto) }
      return tape.layerScaled(tape.perceptron(normed, layers), by: scale2.tensor, onto: onto)
    }
  }

  /// Of some rows, by their numbers before, those of the samples that are kept.
  private static func rows(of wanted: [Int32], tokens: Int, kept: [Int32]) -> [Int32] {
    let kept = Set(kept)
    return wanted.indices.filter { kept.contains(wanted[$0] / Int32(tokens)) }.map { Int32($0) }
  }

  /// x + branch over the samples that are kept, their branch scaled by 1 / (1 − drop path).
  /// - Parameters:
  ///   - rows: the rows of x that are the kept samples', where x has not all rows of each.
  ///   - branch: computes the branch for some rows of x (nil: all) and adds it onto x.
  private func residual(
    _ x: Tensor, tokens: Int, kept: [Int32]?, rows: [Int32]? = nil,
    branch: (_ rowsOf: [Int32]?, _ onto: Residual) -> Tensor
  ) -> Tensor {
    guard let kept else { return branch(nil, Residual(x)) }
    if rows?.isEmpty ?? kept.isEmpty { return x }
    let isWhole = (rows?.count ?? kept.count * tokens) == x.rows
    let rows: [Int32]? =
      isWhole ? nil : rows ?? kept.flatMap { s in (0..<Int32(tokens)).map { s * Int32(tokens) + $0 } }
    return branch(rows, Residual(x, rowsOf: rows, scale: Float(1 / (1 - dropPath))))
  }
}

/// The samples for which a block's two branches are computed, by number in the batch.
public struct BranchKeep: Sendable {
  public var attention: [Int32]
  public var mlp: [Int32]

  public init(attention: [Int32], mlp: [Int32]) {
    self.attention = attention
    self.mlp = mlp
  }
}
