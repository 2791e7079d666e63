import CKernels
import Compute

extension Tape {
  /// The sequences that an encoder reads where a mask token stands for some patches: a class token, then all N patches in their
  /// places, each with its position added.
  /// patches [R, D] those that are not masked, in order; classToken, maskToken [1, D]; positions [1 + N, D] (row 0 the class
  /// token's); isMasked [B·N] -> [B·(1 + N), D].
  public func encoderTokens(
    _ patches: Tensor, classToken: Tensor, maskToken: Tensor, positions: Tensor, isMasked: [Bool], sequences: Int
  ) -> Tensor {
    let width = patches.columns
    let n = isMasked.count / sequences
    // The row of `patches` of each place; −1 for the mask token.
    var seen: Int32 = 0
    let rowOf = isMasked.map { isMasked -> Int32 in
      if isMasked { return -1 }
      seen += 1
      return seen - 1
    }
    precondition(isMasked.count == sequences * n && Int(seen) == patches.rows && positions.rows == 1 + n)
    let y = tensor(rows: sequences * (1 + n), columns: width, from: patches, classToken, maskToken, positions)
    withMatrices(patches, classToken, maskToken) { patches, classToken, maskToken in
      engine.rows(over: y, positions, count: sequences, cost: (1 + n) * width, as: .tokens, values: 2 * y.count) {
        y, positions, range in
        for s in range {
          pmae_add_scaled(classToken.pointer, 1, positions.row(0), y.row(s * (1 + n)), width)
          for j in 0..<n {
            let from = rowOf[s * n + j]
            pmae_add_scaled(
              from < 0 ? maskToken.pointer : patches.row(Int(from)), 1, positions.row(1 + j),
              y.row(s * (1 + n) + 1 + j), width)
          }
        }
      }
    }
    record(y) { [engine] dy in
      if patches.tracksGradient {
        let (dp, isFirst) = patches.gradientSink(engine)
        engine.rows(over: dy, dp, count: sequences, cost: n * width, as: .tokens, values: 2 * dp.count) {
          dy, dp, range in
          for s in range {
            for j in 0..<n where rowOf[s * n + j] >= 0 {
              pmae_axpby(1, dy.row(s * (1 + n) + 1 + j), isFirst ? 0 : 1, dp.row(Int(rowOf[s * n + j])), width)
            }
          }
        }
      }
      if classToken.tracksGradient {
        let (dc, isFirst) = classToken.gradientSink(engine)
        withMatrices(dy, dc) { dy, dc in
          pmae_column_sums(dy.pointer, dc.pointer, sequences, width, (1 + n) * dy.stride, isFirst ? 0 : 1)
        }
      }
      if positions.tracksGradient {
        let ids = (0..<sequences).flatMap { _ in 0..<Int32(n) }
        engine.positionGradient(positions, dy, ids: ids, sequences: sequences)
      }
      if maskToken.tracksGradient {
        // Summed an image at a time, then over images, in order.
        let partial = Tensor(rows: sequences, columns: width, values: engine.memory.take(sequences * width))
        partial.values.zero()
        engine.rows(over: partial, dy, cost: n * width, as: .tokens, values: dy.count) { partial, dy, range in
          for s in range {
            for j in 0..<n where rowOf[s * n + j] < 0 {
              pmae_axpy(1, dy.row(s * (1 + n) + 1 + j), partial.row(s), width)
            }
          }
        }
        let (dm, isFirst) = maskToken.gradientSink(engine)
        withMatrices(partial, dm) { partial, dm in
          pmae_column_sums(partial.pointer, dm.pointer, sequences, width, width, isFirst ? 0 : 1)
        }
      }
    }
    return y
  }
}
