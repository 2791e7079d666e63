import CKernels
import Compute

extension Tape {
  /// Whether attention wants its tokens in bfloat16: where a short head is one call of a kernel for pairs, or where products of it are
  /// worth their calls.
  public func attendsInBFloat16(tokens: Int, depth: Int) -> Bool {
    let isShort = HeadShape.isShort(tokens: tokens, depth: depth)
    return isShort && engine.multipliesPairs || tokens >= 32 && !(isShort && depth <= 16)
  }

  /// Multi-head self-attention: for each sequence and head softmax(Q Kᵀ / √d) V.
  /// qkv [B·T, 3·D], a row's queries, keys and values one after the other, heads within each -> [B·T, D].
  ///
  /// Sequences are short, so a head's scores stay in cache. The backward pass computes them again rather than keep
  /// them.
  public func attention(_ qkv: Tensor, sequences: Int, tokens: Int, heads: Int) -> Tensor {
    let width = qkv.columns / 3
    precondition(qkv.rows == sequences * tokens && qkv.columns == 3 * width && width % heads == 0)
    let shape = HeadShape(tokens: tokens, heads: heads, width: width)
    let y =
      qkv.isBFloat16
      ? Tensor(bfloat16Rows: qkv.rows, columns: width, engine: engine, tracksGradient: tracks([qkv]))
      : tensor(rows: qkv.rows, columns: width, from: qkv)
    let work = 2 * sequences * tokens * tokens * width
    let scratch = engine.scratch(for: shape)
    engine.measure(.attention, flop: 2 * work, values: qkv.wordsMoved + y.wordsMoved) {
      if qkv.isBFloat16 {
        withBFloat16(qkv, y) { qkv, y in
          engine.run(sequences * heads / shape.together, scratch: scratch) { task, scratch in
            for head in shape.heads(of: task) { engine.attend(qkv, into: y, shape, head, scratch) }
          }
        }
      } else {
        withMatrices(qkv, y) { qkv, y in
          engine.run(sequences * heads / shape.together, scratch: scratch) { task, scratch in
            for head in shape.heads(of: task) { engine.attend(qkv, into: y, shape, head, scratch) }
          }
        }
      }
    }
    let written = y.wordsMoved
    record(y) { [engine] dy in
      let (dqkv, isFirst) = qkv.gradientSink(engine)
      engine.measure(.attentionBackward, flop: 5 * work, values: 2 * qkv.wordsMoved + written) {
        if qkv.isBFloat16 {
          withBFloat16(dy, qkv, dqkv) { dy, qkv, dqkv in
            engine.run(sequences * heads / shape.together, scratch: scratch) { task, scratch in
              for head in shape.heads(of: task) {
                engine.attendBackward(dy, qkv: qkv, into: dqkv, shape, head, scratch)
              }
            }
          }
        } else {
          withMatrices(dy, qkv, dqkv) { dy, qkv, dqkv in
            engine.run(sequences * heads / shape.together, scratch: scratch) { task, scratch in
              for head in shape.heads(of: task) {
                engine.attendBackward(dy, qkv: qkv, into: dqkv, adding: !isFirst, shape, head, scratch)
              }
            }
          }
        }
      }
    }
    return y
  }
}

/// Where a head lies in rows of qkv and of the output.
struct HeadShape {
  let tokens: Int
  let heads: Int
  let width: Int
  var depth: Int { width / heads }
  var scale: Float { 1 / Float(depth).squareRoot() }
  /// Scores are rows of whole vectors.
  var stride: Int { (tokens + 15) / 16 * 16 }
  /// Whether a head is so small that one call of a kernel made for it is less than the calls of products.
  var isShort: Bool { Self.isShort(tokens: tokens, depth: depth) }
  static func isShort(tokens: Int, depth: Int) -> Bool { tokens <= 80 && depth.isMultiple(of: 16) }
  /// Heads of a task: of a short sequence all, whose rows are then read from end to end.
  var together: Int { isShort ? heads : 1 }
  func heads(of task: Int) -> Range<Int> { task * together..<(task + 1) * together }

  /// A head's values for task sequence · heads + head: 0 queries (or the output), 1 keys, 2 values.
  @_lifetime(copy x)
  func part(_ x: Matrix, _ which: Int, _ task: Int) -> Matrix {
    x.part(from: x.row(task / heads * tokens) + which * width + task % heads * depth, rows: tokens, columns: depth)
  }

  @_lifetime(copy x)
  func part(_ x: BFloat16Matrix, _ which: Int, _ task: Int) -> BFloat16Matrix {
    x.part(from: x.row(task / heads * tokens) + which * width + task % heads * depth, rows: tokens, columns: depth)
  }
}

/// One head on the calling thread, in float32.
extension Engine {
  /// Scratch values for a head: two matrices of scores, a row, and what kernels pack of one factor.
  func scratch(for shape: HeadShape) -> Int {
    let packing = max(
      scratch(inner: shape.depth, columns: shape.tokens), scratch(inner: shape.tokens, columns: shape.depth),
      shape.tokens * max(shape.stride, shape.depth))
    // That of pairs is the larger.
    let short =
      shape.isShort
      ? shape.stride * (shape.depth + 3 * shape.tokens + 1) + shape.depth * (2 * shape.tokens + 1) : 0
    return max(2 * shape.tokens * shape.stride + shape.stride + packing, short)
  }

  func attend(
    _ qkv: Matrix, into y: Matrix, _ shape: HeadShape, _ task: Int, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let (tokens, stride) = (shape.tokens, shape.stride)
    if shape.isShort {
      let q = shape.part(qkv, 0, task), k = shape.part(qkv, 1, task), v = shape.part(qkv, 2, task)
      let out = shape.part(y, 0, task)
      return pmae_attend_short(
        q.pointer, k.pointer, v.pointer, qkv.stride, tokens, shape.depth, shape.scale, out.pointer, out.stride, scratch)
    }
    let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
    let shares = scratch + tokens * stride
    let packed = shares + stride
    let out = shape.part(y, 0, task)
    multiplyHere(
      shape.part(qkv, 0, task), shape.part(qkv, 1, task), into: p, transposing: .right, scratch: packed)
    // The sums of exponentials divide the few columns of the output, not the many of the scores.
    pmae_softmax_rows(p.pointer, tokens, tokens, stride, shape.scale, shares)
    multiplyHere(p, shape.part(qkv, 2, task), into: out, scratch: packed)
    pmae_scale_rows(out.pointer, tokens, shape.depth, out.stride, shares)
  }

  /// P = softmax(scale Q Kᵀ); dV = Pᵀ dY; dP = dY Vᵀ; dS = scale P (dP − Σ P dP); dQ = dS K; dK = dSᵀ Q.
  func attendBackward(
    _ dy: Matrix, qkv: Matrix, into dqkv: Matrix, adding: Bool, _ shape: HeadShape, _ task: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let (tokens, stride) = (shape.tokens, shape.stride)
    let q = shape.part(qkv, 0, task), k = shape.part(qkv, 1, task), v = shape.part(qkv, 2, task)
    let d = shape.part(dy, 0, task)
    if shape.isShort {
      let dq = shape.part(dqkv, 0, task), dk = shape.part(dqkv, 1, task), dv = shape.part(dqkv, 2, task)
      return pmae_attend_short_backward(
        q.pointer, k.pointer, v.pointer, q.stride, d.pointer, d.stride, tokens, shape.depth, shape.scale, dq.pointer,
        dk.pointer, dv.pointer, dq.stride, adding ? 1 : 0, scratch)
    }
    let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
    let ds = Matrix(scratch + tokens * stride, rows: tokens, columns: tokens, stride: stride)
    let packed = scratch + 2 * tokens * stride
    multiplyHere(q, k, into: p, transposing: .right, scratch: packed)
    pmae_softmax_rows(p.pointer, tokens, tokens, stride, shape.scale, nil)
    multiplyHere(p, d, into: shape.part(dqkv, 2, task), transposing: .left, adding: adding, scratch: packed)
    multiplyHere(d, v, into: ds, transposing: .right, scratch: packed)
    for t in 0..<tokens { pmae_softmax_backward(p.row(t), ds.row(t), tokens, shape.scale) }
    multiplyHere(ds, k, into: shape.part(dqkv, 0, task), adding: adding, scratch: packed)
    multiplyHere(ds, q, into: shape.part(dqkv, 1, task), transposing: .left, adding: adding, scratch: packed)
  }
}

/// The same in bfloat16; scores and softmax stay float32.
extension Engine {
  func attend(
    _ qkv: BFloat16Matrix, into y: BFloat16Matrix, _ shape: HeadShape, _ task: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let (tokens, stride) = (shape.tokens, shape.stride)
    if shape.isShort, multipliesPairs {
      let q = shape.part(qkv, 0, task), k = shape.part(qkv, 1, task), v = shape.part(qkv, 2, task)
      let out = shape.part(y, 0, task)
      return pmae_attend_pairs(
        q.pointer, k.pointer, v.pointer, qkv.stride, tokens, shape.depth, shape.scale, out.pointer, out.stride, scratch)
    }
    let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
    let rounded = BFloat16Matrix((scratch + tokens * stride).asBFloat16, rows: tokens, columns: tokens, stride: stride)
    let shares = scratch + 2 * tokens * stride
    let sums = Matrix(shares + stride, rows: tokens, columns: shape.depth)
    let out = shape.part(y, 0, task)
    Compute.multiplyHere(shape.part(qkv, 0, task), shape.part(qkv, 1, task), into: p, transposing: .right)
    pmae_softmax_rows_bf16(p.pointer, tokens, tokens, stride, shape.scale, shares, rounded.pointer)
    Compute.multiplyHere(rounded, shape.part(qkv, 2, task), into: sums)
    pmae_scale_rows(sums.pointer, tokens, shape.depth, shape.depth, shares)
    Self.roundHere(sums, into: out)
  }

  func attendBackward(
    _ dy: BFloat16Matrix, qkv: BFloat16Matrix, into dqkv: BFloat16Matrix, _ shape: HeadShape, _ task: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let (tokens, stride) = (shape.tokens, shape.stride)
    let q = shape.part(qkv, 0, task), k = shape.part(qkv, 1, task), v = shape.part(qkv, 2, task)
    let d = shape.part(dy, 0, task)
    if shape.isShort, multipliesPairs {
      let dq = shape.part(dqkv, 0, task), dk = shape.part(dqkv, 1, task), dv = shape.part(dqkv, 2, task)
      return pmae_attend_pairs_backward(
        q.pointer, k.pointer, v.pointer, q.stride, d.pointer, d.stride, tokens, shape.depth, shape.scale, dq.pointer,
        dk.pointer, dv.pointer, dq.stride, scratch)
    }
    let p = Matrix(scratch, rows: tokens, columns: tokens, stride: stride)
    let ds = Matrix(scratch + tokens * stride, rows: tokens, columns: tokens, stride: stride)
    let rounded = BFloat16Matrix(
      (scratch + 2 * tokens * stride).asBFloat16, rows: tokens, columns: tokens, stride: stride)
    Compute.multiplyHere(q, k, into: p, transposing: .right)
    pmae_softmax_rows_bf16(p.pointer, tokens, tokens, stride, shape.scale, nil, rounded.pointer)
    Compute.multiplyHere(rounded, d, into: shape.part(dqkv, 2, task), transposing: .left)
    Compute.multiplyHere(d, v, into: ds, transposing: .right)
    for t in 0..<tokens { pmae_softmax_backward_bf16(p.row(t), ds.row(t), rounded.row(t), tokens, shape.scale) }
    Compute.multiplyHere(rounded, k, into: shape.part(dqkv, 0, task))
    Compute.multiplyHere(rounded, q, into: shape.part(dqkv, 1, task), transposing: .left)
  }
}
