import CKernels

// Products of bfloat16 matrices by kernels of our own. Two bfloat16 values that are multiplied in one instruction make 32 bits,
// a pair, and a matrix of pairs goes the way of a float32 matrix of half the inner dimension: `Matrix` holds its bits, and
// only the kernel's innermost line knows.
extension Engine {
  /// op(a) op(b), float32 factors rounded to bfloat16, sums in float32.
  func multiplyPairs(
    _ panels: Multiplier.Panels, _ a: Operand, _ b: Operand, _ rows: Int, _ columns: Int, to destination: Destination,
    transposing: Transposition
  ) {
    if transposing == .left { return multiplyPairsLeft(panels, a, b, to: destination) }
    let inner = (a.columns + 1) / 2
    let packed =
      transposing == .right
      ? packPairs(panels, b, inner: inner) : packPairs(b, rows: 0..<b.rows, panel: panels.width)
    if case .bfloat16(let a) = a, let a = a.pairs {
      return multiplyPacked(panels, packed, rows, columns, inner: inner, to: destination) { rows, _, use in
        use(a.rows(rows))
      }
    }
    multiplyPacked(panels, packed, rows, columns, inner: inner, to: destination, copied: inner) { rows, scratch, use in
      use(Self.copyPairs(a, rows: rows, to: scratch))
    }
  }

  /// aᵀ b, the gradient of a weight: some rows of both at a time are made pairs of rows, and their products added to c.
  private func multiplyPairsLeft(
    _ panels: Multiplier.Panels, _ a: Operand, _ b: Operand, to destination: Destination
  ) {
    guard case .matrix(let c, let adding) = destination else { preconditionFailure("sums of parts need a matrix") }
    // An even number of rows, so that a pair is within a part.
    let height = 2048
    for first in stride(from: 0, to: max(1, a.rows), by: height) {
      let rows = first..<min(a.rows, first + height)
      let inner = (rows.count + 1) / 2
      // A cache line more than the columns: rows a power of two apart fall into few sets of the cache.
      let width = (a.columns + 15) / 16 * 16 + 16
      let turned = packPairs(a, rows: rows, panel: width)
      let packed = packPairs(b, rows: rows, panel: panels.width)
      let tile = Self.tile(rows: c.rows, columns: c.columns, inner: inner, panel: panels.width)
      forTiles(c.rows, c.columns, tile, scratch: 0) { height, columns, _ in
        panels.multiply(
          turned.matrix(rows: inner, columns: width).columns(height),
          transposing: .left, inner: inner, packed.pointer + columns.lowerBound * inner,
          into: c.rows(height).columns(columns), adding: adding || first > 0)
      }
    }
  }

  /// Pairs of rows in panels, packed on all threads; float32 values are rounded on the way.
  func packPairs(_ x: Operand, rows: Range<Int>, panel: Int) -> Buffer {
    let inner = (rows.count + 1) / 2
    let packed = memory.take(max(1, (x.columns + panel - 1) / panel * panel * inner))
    // As many pairs as are worth handing out.
    let block = max(1, 16384 / max(1, 2 * x.columns))
    run((inner + block - 1) / block, scratch: block * x.columns) { task, scratch in
      let first = task * block
      let part = rows.lowerBound + 2 * first..<min(rows.upperBound, rows.lowerBound + 2 * (first + block))
      func pack(_ x: BFloat16Matrix) {
        pmae_pack_pairs(
          x.pointer, x.stride, x.rows, x.columns, panel, panel * inner, packed.pointer + first * panel)
      }
      switch x {
      case .bfloat16(let x): pack(x.rows(part))
      case .float32(let x):
        let copy = BFloat16Matrix(scratch.asBFloat16, rows: part.count, columns: x.columns)
        Self.roundHere(x.rows(part), into: copy)
        pack(copy)
      }
    }
    return packed
  }

  /// xᵀ in panels, whose rows are pairs of neighbouring values of x; float32 values are rounded on the way.
  func packPairs(_ panels: Multiplier.Panels, _ x: Operand, inner: Int) -> Buffer {
    if case .bfloat16(let matrix) = x, let pairs = matrix.pairs {
      return pack(panels, pairs, transposing: .right, inner: inner, columns: x.rows)
    }
    let packed = memory.take(max(1, panels.size(inner: inner, columns: x.rows)))
    let step = panels.width * max(1, 16384 / (max(inner, 1) * panels.width))
    run((x.rows + step - 1) / step, scratch: step * inner) { task, scratch in
      let rows = task * step..<min(x.rows, (task + 1) * step)
      let pairs = Self.copyPairs(x, rows: rows, to: scratch)
      panels.pack(
        pairs, transposing: .right, inner: inner, columns: 0..<rows.count,
        into: packed.pointer + rows.lowerBound * inner)
    }
    return packed
  }

  /// Rows in bfloat16, each an even number of values, the last of them zero where there is one more than there was.
  @_lifetime(borrow pairs)
  static func copyPairs(_ x: Operand, rows: Range<Int>, to pairs: UnsafeMutablePointer<Float>) -> Matrix {
    let width = (x.columns + 1) / 2
    let copy = BFloat16Matrix(pairs.asBFloat16, rows: rows.count, columns: x.columns, stride: 2 * width)
    switch x {
    case .float32(let x): roundHere(x.rows(rows), into: copy)
    case .bfloat16(let x):
      for (from, to) in zip(rows, 0...) { copy.row(to).update(from: x.row(from), count: x.columns) }
    }
    if x.columns % 2 == 1 { for row in 0..<rows.count { copy.row(row)[x.columns] = 0 } }
    return Matrix(pairs, rows: rows.count, columns: width)
  }
}

extension BFloat16Matrix {
  /// The same rows as pairs, where they are that without being copied.
  var pairs: Matrix? {
    @_lifetime(copy self)
    get {
      if columns % 2 == 1 || stride % 2 == 1 || UInt(bitPattern: pointer) % 4 != 0 { return nil }
      let bits = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
      return _overrideLifetime(Matrix(bits, rows: rows, columns: columns / 2, stride: stride / 2), copying: self)
    }
  }
}
