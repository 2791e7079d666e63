import CKernels
import Compute

extension Tape {
  /// Multi-head attention of queries to keys of their own: for each sequence and head softmax(Q Kᵀ / √d) V.
  /// queries [B·M, D]; keys, values [B·T, D], three tensors; heads are neighbouring columns -> [B·M, D].
  public func crossAttention(
    _ queries: Tensor, keys: Tensor, values: Tensor, sequences: Int, heads: Int
  ) -> Tensor {
    let width = queries.columns
    precondition(queries !== keys && keys !== values && queries !== values, "gradients of one tensor in three places")
    precondition(keys.rows == values.rows && keys.columns == width && values.columns == width && width % heads == 0)
    let shape = CrossShape(
      queries: queries.rows / sequences, keys: keys.rows / sequences, depth: width / heads, heads: heads)
    precondition(queries.rows == sequences * shape.queries && keys.rows == sequences * shape.keys)
    let y = tensor(rows: queries.rows, columns: width, from: queries, keys, values)
    let work = 2 * sequences * shape.queries * shape.keys * width
    let scratch = engine.scratch(for: shape)
    let moved = queries.count + keys.count + values.count + y.count
    engine.measure(.attention, flop: 2 * work, values: moved) {
      withMatrices(queries, keys, values, y) { q, k, v, y in
        engine.run(sequences * heads, scratch: scratch) { task, scratch in
          engine.attend(
            shape.part(q, shape.queries, task), shape.part(k, shape.keys, task), shape.part(v, shape.keys, task),
            into: shape.part(y, shape.queries, task), shape, scratch)
        }
      }
    }
    record(y) { [engine] dy in
      precondition([queries, keys, values].allSatisfy(\.tracksGradient), "attention over constants")
      let ((dq, firstQ), (dk, firstK)) = (queries.gradientSink(engine), keys.gradientSink(engine))
      let (dv, firstV) = values.gradientSink(engine)
      engine.measure(.attentionBackward, flop: 5 * work, values: 2 * moved) {
        withMatrices(queries, keys, values, dy) { q, k, v, dy in
          withMatrices(dq, dk, dv) { dq, dk, dv in
            engine.run(sequences * heads, scratch: scratch) { task, scratch in
              let q = shape.part(q, shape.queries, task), k = shape.part(k, shape.keys, task)
              let v = shape.part(v, shape.keys, task), d = shape.part(dy, shape.queries, task)
              // P = softmax(scale Q Kᵀ); dV = Pᵀ dY; dP = dY Vᵀ; dS = scale P (dP − Σ P dP); dQ = dS K; dK = dSᵀ Q.
              let p = Matrix(scratch, rows: shape.queries, columns: shape.keys, stride: shape.stride)
              let ds = Matrix(
                scratch + shape.queries * shape.stride, rows: shape.queries, columns: shape.keys, stride: shape.stride)
              let packed = scratch + (2 * shape.queries + 1) * shape.stride + shape.queries
              engine.multiplyHere(q, k, into: p, transposing: .right, scratch: packed)
              pmae_softmax_rows(p.pointer, shape.queries, shape.keys, shape.stride, shape.scale, nil)
              engine.multiplyHere(d, v, into: ds, transposing: .right, scratch: packed)
              for t in 0..<shape.queries { pmae_softmax_backward(p.row(t), ds.row(t), shape.keys, shape.scale) }
              engine.multiplyHere(
                ds, k, into: shape.part(dq, shape.queries, task), adding: !firstQ, scratch: packed)
              engine.multiplyHere(
                ds, q, into: shape.part(dk, shape.keys, task), transposing: .left, adding: !firstK, scratch: packed)
              engine.multiplyHere(
                p, d, into: shape.part(dv, shape.keys, task), transposing: .left, adding: !firstV, scratch: packed)
            }
          }
        }
      }
    }
    return y
  }
}

/// The sizes of attention with keys of its own.
private struct CrossShape {
  let queries: Int
  let keys: Int
  let depth: Int
  let heads: Int
  var scale: Float { 1 / Float(depth).squareRoot() }
  /// Scores are rows of whole vectors.
  var stride: Int { (keys + 15) / 16 * 16 }

  /// A head's values for task sequence · heads + head, of sequences of `tokens` rows.
  @_lifetime(copy x)
  func part(_ x: Matrix, _ tokens: Int, _ task: Int) -> Matrix {
    x.part(from: x.row(task / heads * tokens) + task % heads * depth, rows: tokens, columns: depth)
  }
}

extension Engine {
  /// Scratch values for a head: two matrices of scores, a row for each, and what kernels pack of one factor.
  fileprivate func scratch(for shape: CrossShape) -> Int {
    let packing = max(
      scratch(inner: shape.depth, columns: shape.keys), scratch(inner: shape.keys, columns: shape.depth),
      scratch(inner: shape.queries, columns: shape.depth),
      max(shape.queries, shape.keys) * max(shape.stride, shape.depth))
    return (2 * shape.queries + 1) * shape.stride + shape.queries + packing
  }

  fileprivate func attend(
    _ q: Matrix, _ k: Matrix, _ v: Matrix, into y: Matrix, _ shape: CrossShape, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let p = Matrix(scratch, rows: shape.queries, columns: shape.keys, stride: shape.stride)
    let shares = scratch + shape.queries * shape.stride
    let packed = scratch + (2 * shape.queries + 1) * shape.stride + shape.queries
    multiplyHere(q, k, into: p, transposing: .right, scratch: packed)
    pmae_softmax_rows(p.pointer, shape.queries, shape.keys, shape.stride, shape.scale, shares)
    multiplyHere(p, v, into: y, scratch: packed)
    pmae_scale_rows(y.pointer, shape.queries, shape.depth, y.stride, shares)
  }
}
