import CKernels
import Compute

extension Tape {
  /// Multi-head self-attention: for each sequence and head softmax(Q Kᵀ / √d) V.
  /// qkv [B·T, 3·D], a row's queries, keys and values one after the other, heads within each -> [B·T, D].
  ///
  /// Sequences are short, so a head's scores stay in cache, and the backward pass computes them again rather than keep
  /// them.
  public func attention(_ qkv: Tensor, sequences: Int, tokens: Int, heads: Int) -> Tensor {
    let width = qkv.columns / 3
    let depth = width / heads
    precondition(qkv.rows == sequences * tokens && qkv.columns == 3 * width && width == heads * depth)
    let scale = 1 / Float(depth).squareRoot()
    let y = tensor(rows: qkv.rows, columns: width, from: qkv)

    /// One head's part of an array laid out like qkv: 0 queries, 1 keys, 2 values.
    func part(_ base: Tensor, _ which: Int, _ task: Int) -> Matrix {
      let start = base.row(task / heads * tokens) + which * width + task % heads * depth
      return Matrix(start, rows: tokens, columns: depth, stride: base.stride)
    }
    func output(_ base: Tensor, _ task: Int) -> Matrix { part(base, 0, task) }
    // Scores are rows of whole vectors. What the kernels pack of one head is at most tokens or depth columns.
    let stride = (tokens + 15) / 16 * 16
    let room = tokens * stride
    let packing = max(
      engine.scratch(inner: depth, columns: tokens), engine.scratch(inner: tokens, columns: depth))
    func scores(_ task: Int, into p: Matrix, scratch: UnsafeMutablePointer<Float>) {
      engine.multiplyHere(part(qkv, 0, task), part(qkv, 1, task), into: p, transposing: .right, scratch: scratch)
    }

    let work = 2 * sequences * tokens * tokens * width
    engine.measure(.attention, flop: 2 * work, values: qkv.count + y.count) {
      engine.run(sequences * heads, scratch: room + stride + packing) { task, scratch in
        let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
        let shares = scratch + room
        let packed = shares + stride
        let out = output(y, task)
        scores(task, into: p, scratch: packed)
        // The sums of exponentials divide the few columns of the output, not the many of the scores.
        pmae_softmax_rows(p.pointer, tokens, tokens, stride, scale, shares)
        engine.multiplyHere(p, part(qkv, 2, task), into: out, scratch: packed)
        pmae_scale_rows(out.pointer, tokens, depth, out.stride, shares)
      }
    }
    record(y) { [engine] dy in
      let (dqkv, isFirst) = qkv.gradientSink(engine)
      engine.measure(.attentionBackward, flop: 5 * work, values: 2 * qkv.count + y.count) {
        engine.run(sequences * heads, scratch: 2 * room + packing) { task, scratch in
          let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
          let ds = Matrix(scratch + room, rows: tokens, columns: tokens, stride: stride)
          let packed = scratch + 2 * room
          let d = output(dy, task)
          func multiply(_ a: Matrix, _ b: Matrix, into c: Matrix, _ transposing: Transposition, adding: Bool = false) {
            engine.multiplyHere(a, b, into: c, transposing: transposing, adding: adding, scratch: packed)
          }
          scores(task, into: p, scratch: packed)
          pmae_softmax_rows(p.pointer, tokens, tokens, stride, scale, nil)
          multiply(p, d, into: part(dqkv, 2, task), .left, adding: !isFirst)
          multiply(d, part(qkv, 2, task), into: ds, .right)
          for t in 0..<tokens {
            pmae_softmax_backward(p.pointer + t * stride, ds.pointer + t * stride, tokens, scale)
          }
          multiply(ds, part(qkv, 1, task), into: part(dqkv, 0, task), .none, adding: !isFirst)
          multiply(ds, part(qkv, 0, task), into: part(dqkv, 1, task), .left, adding: !isFirst)
        }
      }
    }
    return y
  }
}
