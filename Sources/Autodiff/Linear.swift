import CKernels
import Compute

extension Tape {
  /// y = x Wᵀ + b, or with a residual r: y = r.x + r.scale (x Wᵀ + b). x [R, I], W [O, I], b [O] or none -> [R, O], or
  /// the residual's shape.
  /// - Parameter forProducts: whether only matrix products read y, which may then be bfloat16.
  public func linear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, onto residual: Residual? = nil, forProducts: Bool = false
  ) -> Tensor {
    precondition(x.columns == weight.columns, "input width \(x.columns) for a weight of \(weight.columns)")
    let y = output(x, weight, bias, onto: residual, from: [x], forProducts: forProducts)
    if isRecording { x.letGo() }
    record(y) { [self] dy in
      let branch = residual.map { branchGradient(dy, of: $0, rows: x.rows) } ?? dy
      biasGradient(bias, dy: branch)
      let narrowed = narrowed(branch)
      weightGradient(weight, dy: narrowed, x: x)
      if x.tracksGradient { inputGradient(x, dy: narrowed, weight) }
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
    for (place, (weight, bias)) in layers.dropLast().enumerated() {
      // Of two layers z, h, h, z: what is let go of is one piece then, in which a head's logits may find room.
      let early = isRecording && place.isMultiple(of: 2) ? hidden(rows, weight.rows) : nil
      let h = hidden(rows, weight.rows)
      let z = isRecording ? early ?? hidden(rows, weight.rows) : nil
      multiply(.linear, input.operand, weight.matrix, transposing: .right, output: h.traffic + (z?.traffic ?? 0)) {
        $0.activate(bias: bias, into: h, keeping: z)
      }
      input = h
      if let z { kept.append(z) }
    }
    let (last, lastBias) = layers[layers.count - 1]
    let y = output(input, last, lastBias, onto: residual, from: [x, layers[0].weight])
    if isRecording { x.letGo() }
    record(y) { [self] dy in
      let branch = residual.map { branchGradient(dy, of: $0, rows: rows) } ?? dy
      biasGradient(lastBias, dy: branch)
      var gradient = narrowed(branch)
      for (place, (weight, _)) in layers.enumerated().dropFirst().reversed() {
        let z = kept.removeLast()
        let dz = hidden(rows, weight.columns)
        multiply(.linearBackward, gradient.operand, weight.matrix, output: 3 * z.traffic) { $0.deactivate(z, into: dz) }
        weightGradient(weight, dy: gradient, x: z)
        biasGradient(layers[place - 1].bias, dy: dz)
        gradient = dz
      }
      weightGradient(layers[0].weight, dy: gradient, x: x)
      if x.tracksGradient { inputGradient(x, dy: gradient, layers[0].weight) }
    }
    return y
  }

  /// Memory of a hidden layer, which only matrix products read.
  private func hidden(_ rows: Int, _ columns: Int, tracksGradient: Bool = false) -> Tensor {
    precision == .bfloat16
      ? Tensor(narrowRows: rows, columns: columns, engine: engine, tracksGradient: tracksGradient)
      : Tensor(rows: rows, columns: columns, engine: engine, tracksGradient: tracksGradient)
  }

  /// The forward pass of a linear layer: input Wᵀ + b, onto a residual where there is one.
  private func output(
    _ input: Tensor, _ weight: Tensor, _ bias: Tensor?, onto residual: Residual?, from parents: [Tensor],
    forProducts: Bool = false
  ) -> Tensor {
    let width = weight.rows
    let parents = parents + [weight, bias ?? weight, residual?.x ?? weight]
    guard let residual else {
      let y =
        forProducts
        ? hidden(input.rows, width, tracksGradient: tracks(parents))
        : tensor(rows: input.rows, columns: width, from: parents)
      multiply(.linear, input.operand, weight.matrix, transposing: .right, output: y.traffic) {
        $0.store(bias: bias, into: y)
      }
      return y
    }
    precondition(residual.x.columns == width && (residual.rowsOf?.count ?? residual.x.rows) == input.rows)
    let y = tensor(rows: residual.x.rows, columns: width, from: parents)
    if residual.rowsOf != nil { engine.copy(residual.x, to: y) }
    multiply(.linear, input.operand, weight.matrix, transposing: .right, output: 2 * input.rows * width) {
      $0.add(bias: bias, onto: residual, into: y)
    }
    return y
  }

  /// The gradient of a residual's branch, [rows, D], once the residual's own has been passed on.
  private func branchGradient(_ dy: Tensor, of residual: Residual, rows: Int) -> Tensor {
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

  /// A gradient as the products of the backward pass read it: rounded once for both of them.
  private func narrowed(_ dy: Tensor) -> Tensor {
    if precision == .float32 || dy.isNarrow { return dy }
    let narrow = Tensor(narrowRows: dy.rows, columns: dy.columns, engine: engine)
    engine.measure(.linearBackward, values: dy.count + narrow.traffic) { engine.narrow(dy.matrix, into: narrow.narrow) }
    return narrow
  }

  /// dW (+)= dyᵀ x. dy [R, O], x [R, I].
  private func weightGradient(_ weight: Tensor, dy: Tensor, x: Tensor) {
    if !weight.tracksGradient { return }
    let (dw, isFirst) = weight.gradientSink(engine)
    multiply(
      .linearBackward, dy.operand, x.operand, to: .matrix(dw.matrix, adding: !isFirst), transposing: .left,
      output: isFirst ? dw.count : 2 * dw.count)
  }

  /// db (+)= Σ dy.
  private func biasGradient(_ bias: Tensor?, dy: Tensor) {
    guard let bias, bias.tracksGradient else { return }
    let (db, isFirst) = bias.gradientSink(engine)
    engine.measure(.linearBackward, values: dy.traffic) {
      engine.columnSums(rows: dy.rows, columns: dy.columns, into: db.pointer, adding: !isFirst) { rows, sums in
        if dy.isNarrow {
          pmae_column_sums_narrow(
            dy.narrow.row(rows.lowerBound), sums, rows.count, dy.columns, dy.stride, 0)
        } else {
          pmae_column_sums(dy.row(rows.lowerBound), sums, rows.count, dy.columns, dy.stride, 0)
        }
      }
    }
  }

  /// dx (+)= dy W. dy [R, O], x [R, I].
  private func inputGradient(_ x: Tensor, dy: Tensor, _ weight: Tensor) {
    let (dx, isFirst) = x.gradientSink(engine)
    if dx.isNarrow {
      multiply(.linearBackward, dy.operand, weight.matrix, output: dx.traffic) { $0.store(bias: nil, into: dx) }
    } else {
      multiply(
        .linearBackward, dy.operand, .float32(weight.matrix), to: .matrix(dx.matrix, adding: !isFirst),
        output: isFirst ? dx.count : 2 * dx.count)
    }
  }

  /// A product with a weight, a tile at a time.
  private func multiply(
    _ operation: Operation, _ a: Operand, _ weight: Matrix, transposing: Transposition = .none, output: Int,
    tiles: @escaping (Tile) -> Void
  ) {
    multiply(operation, a, .float32(weight), to: .tiles(tiles), transposing: transposing, output: output)
  }

  /// A product that counts as an operation of a kind, in the tape's precision.
  /// - Parameter output: float32 values read and written where it goes.
  private func multiply(
    _ operation: Operation, _ a: Operand, _ b: Operand, to destination: Destination, transposing: Transposition = .none,
    output: Int
  ) {
    let (rows, inner) = transposing == .left ? (a.columns, a.rows) : (a.rows, a.columns)
    let columns = transposing == .right ? b.rows : b.columns
    engine.measure(
      operation, flop: 2 * rows * columns * inner, values: a.traffic + b.traffic + output
    ) {
      engine.multiply(a, b, to: destination, transposing: transposing, precision: precision)
    }
  }
}

extension Engine {
  func zero(_ x: Tensor) {
    rows(x.rows, cost: x.columns) { [x = x.matrix] range in
      for r in range { x.row(r).update(repeating: 0, count: x.columns) }
    }
  }

  func copy(_ x: Tensor, to y: Tensor) {
    rows(x.rows, cost: x.columns) { [x = x.matrix, y = y.matrix] range in
      for r in range { y.row(r).update(from: x.row(r), count: x.columns) }
    }
  }
}
