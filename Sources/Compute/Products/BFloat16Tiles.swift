import CKernels

// Products of float32 matrices by bfloat16 instructions: each factor is rounded once, a block of rows at a time where it is
// read by one task, whole where several read it.
extension Engine {
  /// op(a) op(b), float32 factors rounded to bfloat16, by our own kernels where there are any and by oneDNN elsewhere.
  func multiplyBFloat16(
    _ a: Operand, _ b: Operand, _ rows: Int, _ columns: Int, to destination: Destination, transposing: Transposition
  ) {
    if let pairs = multiplier.pairs {
      return multiplyPairs(pairs, a, b, rows, columns, to: destination, transposing: transposing)
    }
    let inner = transposing == .left ? a.rows : a.columns
    let tile = Self.bfloat16Tile(rows: rows, columns: columns, isGradient: transposing == .left)
    let beta: Float = destination.isAdding ? 1 : 0
    withRounded(b) { b in
      switch a {
      case .float32(let a) where transposing != .left:
        // Each task rounds its own rows, in cache.
        let own = destination.scratch(tile)
        forTiles(rows, columns, tile, scratch: own + (tile.height * inner + 1) / 2) { rows, columns, scratch in
          let c = destination.place(rows, columns, scratch: scratch)
          let block = BFloat16Matrix((scratch + own).asBFloat16, rows: rows.count, columns: inner)
          Self.roundHere(a.rows(rows), into: block)
          let part = transposing == .right ? b.rows(columns) : b.columns(columns)
          Compute.multiplyHere(block, part, into: c, transposing: transposing, beta: beta)
          destination.finish(rows, columns, c)
        }
      default:
        withRounded(a) { a in
          forTiles(rows, columns, tile, scratch: destination.scratch(tile)) { rows, columns, scratch in
            let c = destination.place(rows, columns, scratch: scratch)
            Compute.multiplyHere(
              transposing == .left ? a.columns(rows) : a.rows(rows),
              transposing == .right ? b.rows(columns) : b.columns(columns), into: c, transposing: transposing,
              beta: beta)
            destination.finish(rows, columns, c)
          }
        }
      }
    }
  }

  /// A factor in bfloat16, rounded into memory that lives as long as `body` runs where it is not.
  func withRounded(_ x: Operand, _ body: (BFloat16Matrix) -> Void) {
    switch x {
    case .bfloat16(let matrix): body(matrix)
    case .float32(let matrix):
      let buffer = memory.take((matrix.rows * matrix.columns + 1) / 2)
      let copy = buffer.bfloat16Matrix(rows: matrix.rows, columns: matrix.columns)
      round(matrix, into: copy)
      body(copy)
    }
  }

  /// Rounds a matrix to bfloat16 on all threads.
  public func round(_ x: Matrix, into y: BFloat16Matrix) {
    rows(x.rows, cost: x.columns) { rows in Self.roundHere(x.rows(rows), into: y.rows(rows)) }
  }

  /// Rounds a matrix to bfloat16 on the calling thread.
  public static func roundHere(_ x: Matrix, into y: BFloat16Matrix) {
    for r in 0..<x.rows { pmae_to_bfloat16(x.pointer + r * x.stride, y.pointer + r * y.stride, x.columns) }
  }

  /// The size of a tile: oneDNN's kernels like some 150 rows and all columns. The number of tiles down is a multiple of four,
  /// so that few threads share them evenly.
  /// - Parameter isGradient: of a weight: a small product of many terms, which is cut in columns too.
  static func bfloat16Tile(rows: Int, columns: Int, isGradient: Bool) -> (height: Int, width: Int) {
    let down = ((rows + 159) / 160 + 3) / 4 * 4
    let height = max(32, ((rows + down - 1) / down + 15) / 16 * 16)
    var width = columns
    while isGradient && width > 128
      && (width > 512 || (rows + height - 1) / height * ((columns + width - 1) / width) < 8)
    {
      width = ((width + 1) / 2 + 63) / 64 * 64
    }
    return (height, width)
  }
}
