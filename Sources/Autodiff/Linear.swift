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
      let rounded = rounded(branch)
      weightGradient(weight, dy: rounded, x: x)
      if x.tracksGradient { inputGradient(x, dy: rounded, weight) }
    }
    return y
  }

  /// A perceptron with GELU (the exact one) between its layers: h₁ = GELU(x W₁ᵀ + b₁), …, y = hₙ₋₁ Wₙᵀ + bₙ, or with a
  /// residual r: y = r.x + r.scale (…). x [R, I] -> [R, O], or the residual's shape.
  ///
  /// A hidden layer keeps only the input of its GELU. In the backward pass, one pass over a tile that has just been
  /// computed turns that input into GELU's output, which the next weight's gradient needs, and multiplies by the slope.
  public func perceptron(
    _ x: Tensor, _ layers: [(weight: Tensor, bias: Tensor)], onto residual: Residual? = nil
  ) -> Tensor {
    let rows = x.rows
    var kept: [Tensor] = []
    var input = x
    for (place, (weight, bias)) in layers.dropLast().enumerated() {
      // In the order z, h, h, z for two layers. What is released is then one piece, in which a head's logits may fit.
      let early = isRecording && place.isMultiple(of: 2) ? hidden(rows, weight.rows) : nil
      let h = hidden(rows, weight.rows)
      let z = isRecording ? early ?? hidden(rows, weight.rows) : nil
      bias.withMatrix { bias in
        h.withOperand { h in
          z.withOperand { kept in
            multiply(
              .linear, input, weight, transposing: .right, output: h.wordsMoved + (z?.wordsMoved ?? 0)
            ) { $0.activate(bias: bias, into: h, keeping: kept) }
          }
        }
      }
      input = h
      if let z { kept.append(z) }
    }
    let (last, lastBias) = layers[layers.count - 1]
    let y = output(
      input, last, lastBias, onto: residual, from: [x] + layers.dropLast().flatMap { [$0.weight, $0.bias] })
    if isRecording { x.letGo() }
    record(y) { [self] dy in
      let branch = residual.map { branchGradient(dy, of: $0, rows: rows) } ?? dy
      biasGradient(lastBias, dy: branch)
      var gradient = rounded(branch)
      for (place, (weight, _)) in layers.enumerated().dropFirst().reversed() {
        let z = kept.removeLast()
        let dz = hidden(rows, weight.columns)
        z.withOperand { kept in
          dz.withOperand { dz in
            multiply(.linearBackward, gradient, weight, output: 3 * z.wordsMoved) {
              $0.activateBackward(kept, into: dz)
            }
          }
        }
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
      ? Tensor(bfloat16Rows: rows, columns: columns, engine: engine, tracksGradient: tracksGradient)
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
      bias.withMatrix { bias in
        y.withOperand { to in
          multiply(.linear, input, weight, transposing: .right, output: y.wordsMoved) { $0.store(bias: bias, into: to) }
        }
      }
      return y
    }
    precondition(residual.x.columns == width && (residual.rowsOf?.count ?? residual.x.rows) == input.rows)
    let y = tensor(rows: residual.x.rows, columns: width, from: parents)
    if residual.rowsOf != nil { engine.copy(residual.x, to: y) }
    bias.withMatrix { bias in
      withMatrices(residual.x, y) { x, y in
        multiply(.linear, input, weight, transposing: .right, output: 2 * input.rows * width) {
          $0.add(bias: bias, onto: x, residual, into: y)
        }
      }
    }
    return y
  }

  /// The gradient of a residual's branch, [rows, D], once the residual's own has been passed on.
  private func branchGradient(_ dy: Tensor, of residual: Residual, rows: Int) -> Tensor {
    var branch = dy
    if residual.rowsOf != nil || residual.scale != 1 {
      let scaled = Tensor(rows: rows, columns: dy.columns, engine: engine)
      engine.measure(.tokens, values: 2 * scaled.count) {
        engine.rows(over: scaled, dy, cost: dy.columns) { scaled, dy, range in
          for r in range { pmae_axpby(residual.scale, dy.row(residual.row(r)), 0, scaled.row(r), dy.columns) }
        }
      }
      branch = scaled
    }
    if residual.x.tracksGradient { residual.x.addGradient(dy, engine) }
    return branch
  }

  /// A gradient as the products of the backward pass read it: rounded once for both of them.
  func rounded(_ dy: Tensor) -> Tensor {
    if precision == .float32 || dy.isBFloat16 { return dy }
    let rounded = Tensor(bfloat16Rows: dy.rows, columns: dy.columns, engine: engine)
    engine.measure(.linearBackward, values: dy.count + rounded.wordsMoved) {
      dy.withMatrix { dy in rounded.withBFloat16 { engine.round(dy, into: $0) } }
    }
    return rounded
  }

  /// dW (+)= dyᵀ x. dy [R, O], x [R, I].
  func weightGradient(_ weight: Tensor, dy: Tensor, x: Tensor) {
    if !weight.tracksGradient { return }
    let (dw, isFirst) = weight.gradientSink(engine)
    multiply(
      .linearBackward, dy, x, into: dw, transposing: .left, adding: !isFirst,
      output: isFirst ? dw.count : 2 * dw.count)
  }

  /// db (+)= Σ dy.
  func biasGradient(_ bias: Tensor?, dy: Tensor) {
    guard let bias, bias.tracksGradient else { return }
    let (db, isFirst) = bias.gradientSink(engine)
    engine.measure(.linearBackward, values: dy.wordsMoved) {
      db.withMatrix { db in
        dy.withOperand { dy in
          engine.columnSums(rows: dy.rows, columns: dy.columns, into: db, adding: !isFirst) { rows, sums in
            switch dy {
            case .bfloat16(let dy):
              pmae_column_sums_bf16(dy.row(rows.lowerBound), sums, rows.count, dy.columns, dy.stride, 0)
            case .float32(let dy):
              pmae_column_sums(dy.row(rows.lowerBound), sums, rows.count, dy.columns, dy.stride, 0)
            }
          }
        }
      }
    }
  }

  /// dx (+)= dy W. dy [R, O], x [R, I].
  func inputGradient(_ x: Tensor, dy: Tensor, _ weight: Tensor) {
    let (dx, isFirst) = x.gradientSink(engine)
    if dx.isBFloat16 {
      dx.withOperand { to in
        multiply(.linearBackward, dy, weight, output: dx.wordsMoved) { $0.store(bias: nil, into: to) }
      }
    } else {
      multiply(
        .linearBackward, dy, weight, into: dx, adding: !isFirst, output: isFirst ? dx.count : 2 * dx.count)
    }
  }

  /// A product that is given to a function a tile at a time, in the tape's precision.
  /// - Parameter output: 32-bit words read and written where it goes.
  private func multiply(
    _ operation: Operation, _ a: Tensor, _ b: Tensor, transposing: Transposition = .none, output: Int,
    tiles: (Tile) -> Void
  ) {
    measure(operation, a, b, transposing, output: output) { a, b in
      engine.multiply(a, b, transposing: transposing, precision: precision, tiles: tiles)
    }
  }

  /// c (+)= op(a) op(b), in the tape's precision.
  private func multiply(
    _ operation: Operation, _ a: Tensor, _ b: Tensor, into c: Tensor, transposing: Transposition = .none, adding: Bool,
    output: Int
  ) {
    measure(operation, a, b, transposing, output: output) { a, b in
      c.withMatrix { c in
        engine.multiply(a, b, into: c, transposing: transposing, adding: adding, precision: precision)
      }
    }
  }

  /// A product that counts as an operation of a kind.
  func measure(
    _ operation: Operation, _ a: Tensor, _ b: Tensor, _ transposing: Transposition, output: Int,
    _ product: (Operand, Operand) -> Void
  ) {
    let (rows, inner) = transposing == .left ? (a.columns, a.rows) : (a.rows, a.columns)
    let columns = transposing == .right ? b.rows : b.columns
    a.withOperand { a in
      b.withOperand { b in
        engine.measure(
          operation, flop: 2 * rows * columns * inner, values: a.wordsMoved + b.wordsMoved + output
        ) { product(a, b) }
      }
    }
  }
}

extension Engine {
  func zero(_ x: Tensor) {
    rows(over: x, cost: x.columns) { x, range in
      for r in range { x.row(r).update(repeating: 0, count: x.columns) }
    }
  }

  func copy(_ x: Tensor, to y: Tensor) {
    rows(over: x, y, cost: x.columns) { x, y, range in
      for r in range { y.row(r).update(from: x.row(r), count: x.columns) }
    }
  }
}
