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
    func part(_ base: UnsafeMutablePointer<Float>, _ which: Int, _ task: Int) -> Matrix {
      let start = task / heads * tokens * 3 * width + which * width + task % heads * depth
      return Matrix(base + start, rows: tokens, columns: depth, stride: 3 * width)
    }
    func output(_ base: UnsafeMutablePointer<Float>, _ task: Int) -> Matrix {
      Matrix(
        base + task / heads * tokens * width + task % heads * depth, rows: tokens, columns: depth, stride: width)
    }
    func probabilities(_ task: Int, into p: Matrix) {
      multiplyHere(part(qkv.pointer, 0, task), part(qkv.pointer, 1, task), into: p, transposing: .right)
      for t in 0..<tokens { pmae_softmax(p.pointer + t * tokens, tokens, scale) }
    }

    engine.run(sequences * heads, scratch: tokens * tokens) { task, scratch in
      let p = Matrix(scratch, rows: tokens, columns: tokens)
      probabilities(task, into: p)
      multiplyHere(p, part(qkv.pointer, 2, task), into: output(y.pointer, task))
    }
    record(y) { [engine] dy in
      let (dqkv, isFirst) = qkv.gradientSink(engine)
      let beta: Float = isFirst ? 0 : 1
      engine.run(sequences * heads, scratch: 2 * tokens * tokens) { task, scratch in
        let p = Matrix(scratch, rows: tokens, columns: tokens)
        let ds = Matrix(scratch + tokens * tokens, rows: tokens, columns: tokens)
        let d = output(dy.pointer, task)
        probabilities(task, into: p)
        multiplyHere(p, d, into: part(dqkv, 2, task), transposing: .left, beta: beta)
        multiplyHere(d, part(qkv.pointer, 2, task), into: ds, transposing: .right)
        for t in 0..<tokens {
          pmae_softmax_backward(p.pointer + t * tokens, ds.pointer + t * tokens, tokens, scale)
        }
        multiplyHere(ds, part(qkv.pointer, 1, task), into: part(dqkv, 0, task), beta: beta)
        multiplyHere(ds, part(qkv.pointer, 0, task), into: part(dqkv, 1, task), transposing: .left, beta: beta)
      }
    }
    return y
  }
}
