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
    let packed: Buffer
    if transposing == .right {
      let (right, owner) = pairs(b)
      packed = pack(panels, right, transposing: .right, inner: inner, columns: columns)
      withExtendedLifetime(owner) {}
    } else {
      let (right, owner) = narrow(b)
      packed = packPairs(right, panel: panels.width)
      withExtendedLifetime(owner) {}
    }
    if case .bfloat16(let a) = a, let a = a.pairs {
      return multiplyPacked(panels, packed, rows, columns, inner: inner, to: destination) { rows, _ in a.rows(rows) }
    }
    multiplyPacked(panels, packed, rows, columns, inner: inner, to: destination, copied: inner) { rows, scratch in
      Self.copyPairs(a, rows: rows, to: scratch)
    }
  }

  /// aᵀ b, the gradient of a weight: some rows of both at a time are made pairs of rows, and their products added to c.
  private func multiplyPairsLeft(
    _ panels: Multiplier.Panels, _ a: Operand, _ b: Operand, to destination: Destination
  ) {
    guard case .matrix(let c, let adding) = destination else { preconditionFailure("sums of parts need a matrix") }
    let (left, leftOwner) = narrow(a)
    let (right, rightOwner) = narrow(b)
    // An even number of rows, so that a pair is within a part.
    let height = 2048
    for first in stride(from: 0, to: max(1, left.rows), by: height) {
      let rows = first..<min(left.rows, first + height)
      let inner = (rows.count + 1) / 2
      // A cache line more than the columns: rows a power of two apart fall into few sets of the cache.
      let width = (left.columns + 15) / 16 * 16 + 16
      let turned = packPairs(left.rows(rows), panel: width)
      let packed = packPairs(right.rows(rows), panel: panels.width)
      let tile = Self.tile(rows: c.rows, columns: c.columns, inner: inner, panel: panels.width)
      forTiles(c.rows, c.columns, tile, scratch: 0) { height, columns, _ in
        panels.multiply(
          Matrix(turned.pointer + height.lowerBound, rows: inner, columns: height.count, stride: width),
          transposing: .left, inner: inner, packed.pointer + columns.lowerBound * inner,
          into: c.rows(height).columns(columns), adding: adding || first > 0)
      }
    }
    withExtendedLifetime((leftOwner, rightOwner)) {}
  }

  /// Pairs of rows in panels, packed on all threads.
  private func packPairs(_ x: BFloat16Matrix, panel: Int) -> Buffer {
    let inner = (x.rows + 1) / 2
    let packed = memory.take(max(1, (x.columns + panel - 1) / panel * panel * inner))
    rows(inner, cost: 2 * x.columns) { pairs in
      let rows = pairs.lowerBound * 2..<min(x.rows, pairs.upperBound * 2)
      pmae_pack_pairs(
        x.row(rows.lowerBound), x.stride, rows.count, x.columns, panel, panel * inner,
        packed.pointer + pairs.lowerBound * panel)
    }
    return packed
  }

  /// A matrix whose rows are pairs, and the memory that must live as long.
  private func pairs(_ x: Operand) -> (matrix: Matrix, owner: Buffer?) {
    if case .bfloat16(let matrix) = x, let pairs = matrix.pairs { return (pairs, nil) }
    let width = (x.columns + 1) / 2
    let buffer = memory.take(max(1, x.rows * width))
    rows(x.rows, cost: x.columns) { rows in
      _ = Self.copyPairs(x, rows: rows, to: buffer.pointer + rows.lowerBound * width)
    }
    return (Matrix(buffer.pointer, rows: x.rows, columns: width), buffer)
  }

  /// Rows in bfloat16, each an even number of values, the last of them zero where there is one more than there was.
  private static func copyPairs(_ x: Operand, rows: Range<Int>, to pairs: UnsafeMutablePointer<Float>) -> Matrix {
    let width = (x.columns + 1) / 2
    let copy = BFloat16Matrix(pairs.asNarrow, rows: rows.count, columns: x.columns, stride: 2 * width)
    switch x {
    case .float32(let x): narrowHere(x.rows(rows), into: copy)
    case .bfloat16(let x):
      for (from, to) in zip(rows, 0...) { copy.row(to).update(from: x.row(from), count: x.columns) }
    }
    if x.columns % 2 == 1 { for row in 0..<rows.count { copy.row(row)[x.columns] = 0 } }
    return Matrix(pairs, rows: rows.count, columns: width)
  }
}

extension BFloat16Matrix {
  /// The same rows as pairs, where they are that without being copied.
  fileprivate var pairs: Matrix? {
    if columns % 2 == 1 || stride % 2 == 1 || UInt(bitPattern: pointer) % 4 != 0 { return nil }
    let bits = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
    return Matrix(bits, rows: rows, columns: columns / 2, stride: stride / 2)
  }
}
