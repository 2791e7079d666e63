import Autodiff
import Compute

/// A vision transformer over a chosen subset of an image's patches: the student sees the visible ones, a teacher one fold
/// of the masked ones, evaluation all of them. Names are timm's.
public struct Encoder: Network {
  public let configuration: EncoderConfiguration
  let patchEmbedding: LinearWeights
  let classToken: Parameter
  /// A fixed table, or learned ones.
  let positions: Tensor
  private let learnedPositions: Parameter?
  private let otherPositions: PositionTables
  public var blocks: [Block]
  package let norm: NormWeights

  /// - Parameters:
  ///   - dropPath: the last block's rate; it rises linearly from 0 at the first.
  ///   - trained: whether it takes gradients.
  ///   - trainsPatches: whether its patch embedding does, where it takes any; a frozen one steadies a contrastive loss.
  public init(
    _ configuration: EncoderConfiguration, dropPath: Double = 0, engine: Engine, trained: Bool,
    trainsPatches: Bool = true
  ) {
    let c = configuration
    self.configuration = c
    patchEmbedding = LinearWeights(
      "patch_embed.proj", shape: [c.width, c.channels, c.patch, c.patch], engine: engine,
      trained: trained && trainsPatches)
    classToken = Parameter("cls_token", shape: [1, 1, c.width], engine: engine, trained: trained)
    learnedPositions =
      c.positions == .learned
      ? Parameter("pos_embed", shape: [1, 1 + c.patches, c.width], engine: engine, trained: trained) : nil
    positions = learnedPositions?.tensor ?? positionTable(width: c.width, grid: c.grid, engine: engine)
    otherPositions = PositionTables(engine)
    blocks = (0..<c.depth).map { i in
      Block(
        "blocks.\(i)", width: c.width, heads: c.heads, mlpRatio: c.mlpRatio, layerScale: c.layerScale,
        normEpsilon: c.normEpsilon, engine: engine, trained: trained)
    }
    norm = NormWeights("norm", c.width, epsilon: c.normEpsilon, engine: engine, trained: trained)
    setDropPath(dropPath)
  }

  /// Sets the last block's drop-path rate; it rises linearly from 0 at the first.
  public mutating func setDropPath(_ rate: Double) {
    for i in blocks.indices { blocks[i].dropPath = rate * Double(i) / Double(max(blocks.count - 1, 1)) }
  }

  public var parameters: [Parameter] {
    patchEmbedding.parameters + [classToken] + [learnedPositions].compactMap(\.self) + blocks.flatMap(\.parameters)
      + norm.parameters
  }

  public var constants: [Constant] {
    learnedPositions != nil
      ? [] : [Constant(name: "pos_embed", shape: [1, positions.rows, positions.columns], tensor: positions)]
  }

  /// - Parameters:
  ///   - ids: patch numbers [B·K·n]: for each image its sequences one after the other, n patches each.
  ///   - sequencesPerImage: K; more than one for a teacher's folds.
  ///   - keeps: for drop path, a block each.
  /// - Returns: normalised tokens [B·K·(1 + n), D], the class token first in each sequence.
  public func callAsFunction(
    _ tape: Tape, _ images: ImageBatch, ids: [Int32], sequencesPerImage: Int = 1, keeps: [BranchKeep]? = nil
  ) -> Tensor {
    let sequences = images.count * sequencesPerImage
    return tokens(tape, embed(tape, images, ids: ids, sequences: sequences), sequences: sequences, keeps: keeps)
  }

  /// The blocks and the norm.
  private func tokens(
    _ tape: Tape, _ embedded: Tensor, sequences: Int, keeps: [BranchKeep]?, wanted: [Int32]? = nil
  ) -> Tensor {
    var x = embedded
    for (i, block) in blocks.enumerated() {
      x = block(tape, x, sequences: sequences, keep: keeps?[i], wanted: i == blocks.count - 1 ? wanted : nil)
    }
    return norm(tape, x)
  }

  /// What the first block reads: [B·K·(1 + n), D].
  package func embed(_ tape: Tape, _ images: ImageBatch, ids: [Int32], sequences: Int) -> Tensor {
    let rows = patchRows(images, ids: ids, patch: configuration.patch, engine: tape.engine)
    return tape.encoderTokens(
      patchEmbedding(tape, rows), classToken: classToken.tensor, positions: positions(of: images), ids: ids,
      sequences: sequences)
  }

  /// All patches of every image in order: [B·(1 + N), D]. The images may be of another size than the encoder's.
  /// - Parameters:
  ///   - hidden: where given, patches in whose places a token stands, and the token [1, D].
  ///   - wanted: where given, the rows whose tokens are needed: -> [wanted.count, D]. After the last attention the others are
  ///     left out.
  public func callAsFunction(
    _ tape: Tape, _ images: ImageBatch, hidden: (patches: HiddenPatches, token: Tensor)? = nil,
    keeps: [BranchKeep]? = nil, wanted: [Int32]? = nil
  ) -> Tensor {
    let embedded: Tensor
    if let (patches, token) = hidden {
      precondition(patches.images == images.count && patches.patches == configuration.patches)
      let rows = patchRows(images, places: patches.seenPlaces, patch: configuration.patch, engine: tape.engine)
      embedded = tape.encoderTokens(
        patchEmbedding(tape, rows), classToken: classToken.tensor, maskToken: token, positions: positions(of: images),
        isMasked: patches.isHidden, sequences: images.count)
    } else {
      let grid = Int32(images.side / configuration.patch)
      let all = (0..<images.count).flatMap { _ in 0..<grid * grid }
      embedded = embed(tape, images, ids: all, sequences: images.count)
    }
    return tokens(tape, embedded, sequences: images.count, keeps: keeps, wanted: wanted)
  }

  /// The positions of an image's patches, [1 + n, D]. Learned ones are for images of the encoder's own size alone.
  public func positions(of images: ImageBatch) -> Tensor {
    let side = images.side / configuration.patch
    precondition(
      learnedPositions == nil || side == configuration.grid, "learned positions are for one size of images")
    return positions(of: PatchGrid(rows: side, columns: side), isStretched: true)
  }

  /// The positions of any grid of patches, [1 + n, D].
  /// - Parameter isStretched: the encoder's own grid is stretched over it, as where the table of positions is interpolated; otherwise each
  ///   patch is at its own number. Learned positions are interpolated either way, and take no gradient then.
  public func positions(of grid: PatchGrid, isStretched: Bool) -> Tensor {
    let (own, width) = (configuration.grid, configuration.width)
    if grid == PatchGrid(rows: own, columns: own) { return positions }
    if learnedPositions != nil {
      // They may have been trained since they were asked for last.
      let resampled = resampledPositions(
        positions.withValues { Array($0) }, width: width, from: PatchGrid(rows: own, columns: own), to: grid)
      return otherPositions.tensor(resampled, width: width)
    }
    return otherPositions.table(PositionTables.Key(grid: grid, isStretched: isStretched)) {
      positionTable(width: width, grid: grid, full: isStretched ? own : nil, engine: $0)
    }
  }
}

extension LinearWeights {
  /// A convolution over whole patches, which is a fully connected layer on their values: weight [D, C, P, P].
  init(_ name: String, shape: [Int], engine: Engine, trained: Bool) {
    weight = Parameter("\(name).weight", shape: shape, engine: engine, trained: trained)
    bias = Parameter("\(name).bias", shape: [shape[0]], engine: engine, trained: trained)
  }
}
