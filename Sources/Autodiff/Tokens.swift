import CKernels
import Compute

extension Tape {
  /// The sequences that an encoder reads: a class token, then the chosen patches, each with its position added.
  /// patches [B·n, D], classToken [1, D], positions [1 + N, D] (row 0 the class token's), ids of the patches [B·n]
  /// -> [B·(1 + n), D].
  public func encoderTokens(
    _ patches: Tensor, classToken: Tensor, positions: Tensor, ids: [Int32], sequences: Int
  ) -> Tensor {
    let width = patches.columns
    let n = patches.rows / sequences
    precondition(ids.count == patches.rows && patches.rows == sequences * n)
    let y = tensor(rows: sequences * (n + 1), columns: width, from: patches, classToken, positions)
    engine.rows(
      over: patches, classToken, positions, y, count: sequences, cost: (n + 1) * width, as: .tokens, values: 2 * y.count
    ) { patches, classToken, positions, y, range in
      for s in range {
        pmae_add_scaled(classToken.pointer, 1, positions.row(0), y.row(s * (n + 1)), width)
        for i in 0..<n {
          let r = s * n + i
          pmae_add_scaled(patches.row(r), 1, positions.row(1 + Int(ids[r])), y.row(s * (n + 1) + 1 + i), width)
        }
      }
    }
    record(y) { [engine] dy in
      if patches.tracksGradient {
        let (dp, isFirst) = patches.gradientSink(engine)
        engine.rows(over: dy, dp, count: sequences, cost: n * width, as: .tokens, values: 2 * dp.count) {
          dy, dp, range in
          for s in range {
            for i in 0..<n {
              pmae_axpby(1, dy.row(s * (n + 1) + 1 + i), isFirst ? 0 : 1, dp.row(s * n + i), width)
            }
          }
        }
      }
      if classToken.tracksGradient {
        let (dc, isFirst) = classToken.gradientSink(engine)
        withMatrices(dy, dc) { dy, dc in
          pmae_column_sums(dy.pointer, dc.pointer, sequences, width, (n + 1) * dy.stride, isFirst ? 0 : 1)
        }
      }
      if positions.tracksGradient { engine.positionGradient(positions, dy, ids: ids, sequences: sequences) }
    }
    return y
  }

  /// The sequences that a decoder reads: the class token, then all N patches in their places, those that the encoder did
  /// not see as the mask token, each with its position added. What stands for a masked patch is the same in every sequence.
  /// x [B·(1 + V), d], maskToken [1, d], positions [1 + N, d], shuffle [B·N] (a permutation an image, its first V visible)
  /// -> each row once [B·(1 + V) + P, d], P the places that are masked anywhere, and the row of each of the B·(1 + N) tokens.
  public func decoderTokens(
    _ x: Tensor, maskToken: Tensor, positions: Tensor, shuffle: [Int32], sequences: Int
  ) -> (distinct: Tensor, rowOf: [Int32]) {
    let width = x.columns
    let n = shuffle.count / sequences
    let visible = x.rows / sequences - 1
    precondition(x.rows == sequences * (1 + visible) && shuffle.count == sequences * n && positions.rows == 1 + n)
    var rowOf = [Int32](repeating: 0, count: sequences * (1 + n))
    var positionOf = [Int](repeating: 0, count: x.rows)
    var maskedRowOf = [Int32?](repeating: nil, count: n)
    for s in 0..<sequences {
      rowOf[s * (1 + n)] = Int32(s * (1 + visible))
      for j in 0..<n {
        let place = Int(shuffle[s * n + j])
        if j < visible {
          let row = s * (1 + visible) + 1 + j
          positionOf[row] = 1 + place
          rowOf[s * (1 + n) + 1 + place] = Int32(row)
        } else {
          if maskedRowOf[place] == nil {
            maskedRowOf[place] = Int32(positionOf.count)
            positionOf.append(1 + place)
          }
          rowOf[s * (1 + n) + 1 + place] = maskedRowOf[place]!
        }
      }
    }
    let (seen, masked) = (x.rows, positionOf.count - x.rows)
    let y = tensor(rows: seen + masked, columns: width, from: x, maskToken)
    engine.rows(over: y, x, maskToken, positions, cost: width, as: .tokens, values: 2 * y.count) {
      y, x, maskToken, positions, rows in
      for r in rows {
        pmae_add_scaled(r < seen ? x.row(r) : maskToken.pointer, 1, positions.row(positionOf[r]), y.row(r), width)
      }
    }
    record(y) { [engine] dy in
      if x.tracksGradient {
        let (dx, isFirst) = x.gradientSink(engine)
        engine.rows(over: dx, dy, cost: width, as: .tokens, values: 2 * dx.count) { dx, dy, rows in
          for r in rows { pmae_axpby(1, dy.row(r), isFirst ? 0 : 1, dx.row(r), width) }
        }
      }
      if maskToken.tracksGradient, masked > 0 {
        let (dm, isFirst) = maskToken.gradientSink(engine)
        withMatrices(dy, dm) { dy, dm in
          pmae_column_sums(dy.row(seen), dm.pointer, masked, width, dy.stride, isFirst ? 0 : 1)
        }
      }
    }
    return (y, rowOf)
  }

  /// The mean of each sequence's patch tokens, the class token left out: x [B·(1 + n), D] -> [B, D].
  public func meanOfPatches(_ x: Tensor, sequences: Int) -> Tensor {
    let width = x.columns
    let tokens = x.rows / sequences
    let share = 1 / Float(tokens - 1)
    let y = tensor(rows: sequences, columns: width, from: x)
    engine.rows(over: y, x, cost: tokens * width, as: .tokens, values: x.count + y.count) { y, x, range in
      for s in range {
        pmae_column_sums(x.row(s * tokens + 1), y.row(s), tokens - 1, width, x.stride, 0)
        for c in 0..<width { y.row(s)[c] *= share }
      }
    }
    record(y) { [engine] dy in
      let (dx, isFirst) = x.gradientSink(engine)
      if isFirst { engine.zero(dx) }
      engine.rows(over: dy, dx, cost: tokens * width, as: .tokens, values: dx.count + dy.count) { dy, dx, range in
        for s in range {
          for t in 1..<tokens { pmae_axpy(share, dy.row(s), dx.row(s * tokens + t), width) }
        }
      }
    }
    return y
  }

  /// The means of the patch tokens in side × side parts of the picture, one part behind the other, the class token left
  /// out: x [B·(1 + g²), D] -> [B, side²·D]. Part i of an edge has tokens ⌊i g / side⌋ to ⌈(i + 1) g / side⌉, as in
  /// PyTorch's AdaptiveAvgPool2d: parts overlap where side does not divide g.
  public func meansOfParts(_ x: Tensor, sequences: Int, side: Int) -> Tensor {
    let (width, tokens) = (x.columns, x.rows / sequences)
    let parts = partsOfGrid(patches: tokens - 1, side: side).map { $0.map { 1 + $0 } }
    let values = parts.reduce(0) { $0 + $1.count } * width * sequences
    let y = tensor(rows: sequences, columns: parts.count * width, from: x)
    engine.rows(over: y, x, cost: tokens * width, as: .tokens, values: values + y.count) { y, x, range in
      for s in range {
        for (p, part) in parts.enumerated() {
          let mean = y.row(s) + p * width
          mean.update(repeating: 0, count: width)
          for t in part { pmae_axpy(1 / Float(part.count), x.row(s * tokens + t), mean, width) }
        }
      }
    }
    record(y) { [engine] dy in
      let (dx, isFirst) = x.gradientSink(engine)
      if isFirst { engine.zero(dx) }
      engine.rows(over: dy, dx, cost: tokens * width, as: .tokens, values: 2 * values) { dy, dx, range in
        for s in range {
          for (p, part) in parts.enumerated() {
            for t in part { pmae_axpy(1 / Float(part.count), dy.row(s) + p * width, dx.row(s * tokens + t), width) }
          }
        }
      }
    }
    return y
  }

  /// Each row divided by its length (at least ε): x [R, D] -> [R, D].
  public func normaliseRows(_ x: Tensor, epsilon: Float = 1e-12) -> Tensor {
    let width = x.columns
    let y = tensor(rows: x.rows, columns: width, from: x)
    let inverse = Tensor(rows: x.rows, columns: 1, values: engine.memory.take(max(x.rows, 1)))
    engine.rows(over: x, y, inverse, cost: width, as: .norm, values: 2 * x.count) { x, y, inverse, rows in
      for r in rows { inverse.pointer[r] = pmae_normalise(x.row(r), y.row(r), width, epsilon) }
    }
    record(y) { [engine] dy in
      let (dx, isFirst) = x.gradientSink(engine)
      engine.rows(over: y, dy, dx, inverse, cost: width, as: .normBackward, values: 3 * y.count) {
        y, dy, dx, inverse, rows in
        for r in rows {
          pmae_normalise_backward(
            y.row(r), dy.row(r), dx.row(r), width, inverse.pointer[r], isFirst ? 0 : 1)
        }
      }
    }
    return y
  }
}

extension Engine {
  /// Each position's gradient: the sum over the tokens that it was added to, in their order.
  func positionGradient(_ positions: Tensor, _ dy: Tensor, ids: [Int32], sequences: Int) {
    let n = ids.count / sequences
    let rowOf = (0..<sequences).flatMap { s -> [Int32] in [0] + ids[s * n..<(s + 1) * n].map { 1 + $0 } }
    addCopies(dy, toGradientOf: positions, rowOf)
  }
}

/// The patches of a square picture, by number, that are in each of side × side parts of it, row by row.
public func partsOfGrid(patches: Int, side: Int) -> [[Int]] {
  let grid = Int(Double(patches).squareRoot())
  precondition(grid * grid == patches, "patches of a square picture")
  let edge = (0..<side).map { $0 * grid / side..<(($0 + 1) * grid + side - 1) / side }
  return edge.flatMap { rows in edge.map { columns in rows.flatMap { y in columns.map { y * grid + $0 } } } }
}
