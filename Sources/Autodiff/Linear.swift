import CKernels
import Compute

/// A residual connection: what a layer's output is added onto.
public struct Residual {
  let x: Tensor
  /// Where given, row r of the output belongs to row rowsOf[r] of x, and rows of x that are not named pass unchanged (drop path:
  /// a dropped sample's branch is never computed).
  let rowsOf: [Int32]?
  /// What the output is multiplied by (drop path: 1 / keep).
  let scale: Float

  /// The row of x that row r of the output belongs to.
  @inline(__always)
  func row(_ r: Int) -> Int { if let rowsOf { Int(rowsOf[r]) } else { r } }

  public init(_ x: Tensor, rowsOf: [Int32]? = nil, scale: Float = 1) {
    self.x = x
    self.rowsOf = rowsOf
    self.scale = scale
  }
}

extension Tape {
  /// y = x Wᵀ + b, or with a residual r: y = r.x + r.scale (x Wᵀ + b). x [R, I], W [O, I], b [O] or none -> [R, O], or
  /// the residual's shape.
  public func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, onto residual: Residual? = nil) -> Tensor {
    precondition(x.columns == weight.columns, "input width \(x.columns) for a weight of \(weight.columns)")
    let y = output(x, weight, bias, onto: residual, from: [x])
    if isRecording { x.letGo() }
    record(y) { [self] dy in
      let branch = residual.map { branchGradient(dy, of: $0, rows: x.rows) } ?? dy
      weightGradients(weight, bias, dy: branch, x: x)
      if x.tracksGradient { inputGradient(x, dy: branch, weight) }
    }
    return y
  }

  /// A perceptron with GELU (the exact one) between its layers: h₁ = GELU(x W₁ᵀ + b₁), …, y = hₙ₋₁ Wₙᵀ + bₙ, or with a
  /// residual r: y = r.x + r.scale (…). x [R, I] -> [R, O], or the residual's shape.
  ///
  /// Of a hidden layer only the input of its GELU is kept. On the way back one pass over a tile that has just been computed
  /// turns it into GELU's output, which the next weight's gradient needs, and takes the slope along.
  public func perceptron(
    _ x: Tensor, _ layers: [(weight: Tensor, bias: Tensor)], onto residual: Residual? = nil
  ) -> Tensor {
    let rows = x.rows
    var kept: [Tensor] = []
    var input = x
    for (weight, bias) in layers.dropLast() {
      let z = Tensor(rows: rows, columns: weight.rows, engine: engine)
      let h = isRecording ? Tensor(rows: rows, columns: weight.rows, engine: engine) : z
      multiply(.linear, input.matrix, weight.matrix, into: z.matrix, transposing: .right) { [isRecording] tile in
        let shift = bias.pointer + tile.column
        if isRecording {
          pmae_bias_gelu(
            z.row(tile.row) + tile.column, shift, h.row(tile.row) + tile.column, tile.rows.count, tile.columns.count,
            z.stride)
        } else {
          pmae_bias_gelu_in_place(
            z.row(tile.row) + tile.column, shift, tile.rows.count, tile.columns.count, z.stride)
        }
      }
      input = h
      if isRecording { kept.append(z) }
    }
    let (last, lastBias) = layers[layers.count - 1]
    let y = output(input, last, lastBias, onto: residual, from: [x, layers[0].weight])
    if isRecording { x.letGo() }
    record(y) { [self] dy in
      var gradient = residual.map { branchGradient(dy, of: $0, rows: rows) } ?? dy
      for (weight, bias) in layers.dropFirst().reversed() {
        let z = kept.removeLast()
        let dz = Tensor(rows: rows, columns: weight.columns, engine: engine)
        multiply(.linearBackward, gradient.matrix, weight.matrix, into: dz.matrix) { tile in
          pmae_gelu_return(
            z.row(tile.row) + tile.column, dz.row(tile.row) + tile.column, tile.rows.count, tile.columns.count,
            z.stride)
        }
        weightGradients(weight, bias, dy: gradient, x: z)
        gradient = dz
      }
      weightGradients(layers[0].weight, layers[0].bias, dy: gradient, x: x)
      if x.tracksGradient { inputGradient(x, dy: gradient, layers[0].weight) }
    }
    return y
  }

  /// The forward pass of a linear layer: input Wᵀ + b, onto a residual where there is one.
  private func output(
    _ input: Tensor, _ weight: Tensor, _ bias: Tensor?, onto residual: Residual?, from parents: [Tensor]
  ) -> Tensor {
    let width = weight.rows
    let y = tensor(
      rows: residual?.x.rows ?? input.rows, columns: width,
      from: parents + [weight, bias ?? weight, residual?.x ?? weight])
    precondition(residual.map { $0.x.columns == width && ($0.rowsOf?.count ?? $0.x.rows) == input.rows } ?? true)
    if let residual, residual.rowsOf != nil { engine.copy(residual.x, to: y) }
    // The branch lives no longer than its addition.
    let branch = residual == nil ? y : Tensor(rows: input.rows, columns: width, engine: engine)
    multiply(.linear, input.matrix, weight.matrix, into: branch.matrix, transposing: .right) { tile in
      let c = tile.column
      if let bias {
        pmae_add_bias(
          branch.row(tile.row) + c, bias.pointer + c, tile.rows.count, tile.columns.count, branch.stride)
      }
      guard let residual else { return }
      let (x, branch, y) = (residual.x.matrix, branch.matrix, y.matrix)
      for r in tile.rows {
        let to = residual.row(r)
        pmae_add_scaled(x.row(to) + c, residual.scale, branch.row(r) + c, y.row(to) + c, tile.columns.count)
      }
    }
    return y
  }
}

extension Tape {
  /// The gradient of a residual's branch, [rows, D], once the residual's own has been passed on.
  func branchGradient(_ dy: Tensor, of residual: Residual, rows: Int) -> Tensor {
    var branch = dy
    if residual.rowsOf != nil || residual.scale != 1 {
      let scaled = Tensor(rows: rows, columns: dy.columns, engine: engine)
      engine.measure(.tokens, values: 2 * scaled.count) {
        engine.rows(rows, cost: dy.columns) { range in
          let (dy, scaled) = (dy.matrix, scaled.matrix)
          for r in range { pmae_axpby(residual.scale, dy.row(residual.row(r)), 0, scaled.row(r), dy.columns) }
        }
      }
      branch = scaled
    }
    if residual.x.tracksGradient { residual.x.addGradient(dy, engine) }
    return branch
  }

  /// dW (+)= dyᵀ x, db (+)= Σ dy. dy [R, O], x [R, I].
  func weightGradients(_ weight: Tensor, _ bias: Tensor?, dy: Tensor, x: Tensor) {
    if weight.tracksGradient {
      let (dw, isFirst) = weight.gradientSink(engine)
      multiply(.linearBackward, dy.matrix, x.matrix, into: dw.matrix, transposing: .left, adding: !isFirst)
    }
    if let bias, bias.tracksGradient {
      let (db, isFirst) = bias.gradientSink(engine)
      engine.measure(.linearBackward, values: dy.count) {
        engine.columnStrips(dy.columns) { columns in
          let c = columns.lowerBound
          pmae_column_sums(dy.pointer + c, db.pointer + c, dy.rows, columns.count, dy.stride, isFirst ? 0 : 1)
        }
      }
    }
  }

  /// dx (+)= dy W. dy [R, O], x [R, I].
  func inputGradient(_ x: Tensor, dy: Tensor, _ weight: Tensor) {
    let (dx, isFirst) = x.gradientSink(engine)
    multiply(.linearBackward, dy.matrix, weight.matrix, into: dx.matrix, adding: !isFirst)
  }

  /// A product that counts as an operation of a kind, in the tape's precision.
  func multiply(
    _ operation: Operation, _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none,
    adding: Bool = false, finish: ((Tile) -> Void)? = nil
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    let values = a.rows * a.columns + b.rows * b.columns + (adding ? 2 : 1) * c.rows * c.columns
    engine.measure(operation, flop: 2 * c.rows * c.columns * inner, values: values) {
      engine.multiply(a, b, into: c, transposing: transposing, adding: adding, precision: precision) {
        finish?(Tile(rows: $0, columns: $1))
      }
    }
  }

}

extension Engine {
  /// Strips of columns for sums over rows: a strip is summed by one thread, from the first row to the last.
  func columnStrips(_ columns: Int, _ body: (Range<Int>) -> Void) {
    let width = 64
    threads.run((columns + width - 1) / width) { strip in body(strip * width..<min(columns, (strip + 1) * width)) }
  }

  func zero(_ x: Tensor) {
    rows(x.rows, cost: x.columns) { range in for r in range { x.row(r).update(repeating: 0, count: x.columns) } }
  }

  func copy(_ x: Tensor, to y: Tensor) {
    rows(x.rows, cost: x.columns) { range in for r in range { y.row(r).update(from: x.row(r), count: x.columns) } }
  }
}

/// A part of a product that has just been computed.
struct Tile {
  let rows: Range<Int>
  let columns: Range<Int>
  var row: Int { rows.lowerBound }
  var column: Int { columns.lowerBound }
}
