import CKernels

// Products of float32 matrices by bfloat16 instructions: each factor is rounded once, a block of rows at a time where it is
// read by one task, whole where several read it.
extension Engine {
  /// op(a) op(b), float32 factors rounded to bfloat16, by our own kernels where there are any and by oneDNN elsewhere.
  func multiplyNarrow(
    _ a: Operand, _ b: Operand, _ rows: Int, _ columns: Int, to destination: Destination, transposing: Transposition
  ) {
    if let pairs = multiplier.pairs {
      return multiplyPairs(pairs, a, b, rows, columns, to: destination, transposing: transposing)
    }
    let right = narrow(b)
    defer { withExtendedLifetime(right) {} }
    let inner = transposing == .left ? a.rows : a.columns
    let tile = Self.narrowTile(rows: rows, columns: columns, isGradient: transposing == .left)
    let beta: Float = destination.isAdding ? 1 : 0
    func part(_ columns: Range<Int>) -> BFloat16Matrix {
      transposing == .right ? right.matrix.rows(columns) : right.matrix.columns(columns)
    }
    switch a {
    case .float32(let a) where transposing != .left:
      // Each task rounds its own rows, in cache.
      let own = destination.scratch(tile)
      forTiles(rows, columns, tile, scratch: own + (tile.height * inner + 1) / 2) { rows, columns, scratch in
        let c = destination.place(rows, columns, scratch: scratch)
        let block = BFloat16Matrix((scratch + own).asNarrow, rows: rows.count, columns: inner)
        Self.narrowHere(a.rows(rows), into: block)
        Compute.multiplyHere(block, part(columns), into: c, transposing: transposing, beta: beta)
        destination.finish(rows, columns, c)
      }
    default:
      let left = narrow(a)
      defer { withExtendedLifetime(left) {} }
      forTiles(rows, columns, tile, scratch: destination.scratch(tile)) { rows, columns, scratch in
        let c = destination.place(rows, columns, scratch: scratch)
        Compute.multiplyHere(
          transposing == .left ? left.matrix.columns(rows) : left.matrix.rows(rows), part(columns), into: c,
          transposing: transposing, beta: beta)
        destination.finish(rows, columns, c)
      }
    }
  }

  /// A factor in bfloat16, and the memory that must live as long.
  func narrow(_ x: Operand) -> (matrix: BFloat16Matrix, owner: NarrowBuffer?) {
    switch x {
    case .bfloat16(let matrix): return (matrix, nil)
    case .float32(let matrix):
      let buffer = NarrowBuffer(matrix.rows * matrix.columns, memory)
      let narrow = buffer.matrix(rows: matrix.rows, columns: matrix.columns)
      self.narrow(matrix, into: narrow)
      return (narrow, buffer)
    }
  }

  /// Rounds a matrix on all threads.
  public func narrow(_ x: Matrix, into y: BFloat16Matrix) {
    rows(x.rows, cost: x.columns) { rows in Self.narrowHere(x.rows(rows), into: y.rows(rows)) }
  }

  /// Rounds a matrix on the calling thread.
  public static func narrowHere(_ x: Matrix, into y: BFloat16Matrix) {
    for r in 0..<x.rows { pmae_to_bfloat16(x.pointer + r * x.stride, y.pointer + r * y.stride, x.columns) }
  }

  /// The size of a tile: oneDNN's kernels like some 150 rows and all columns. The number of tiles down is a multiple of four,
  /// so that few threads share them evenly.
  /// - Parameter isGradient: of a weight: a small product of many terms, which is cut in columns too.
  static func narrowTile(rows: Int, columns: Int, isGradient: Bool) -> (height: Int, width: Int) {
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

/// Memory for bfloat16 values.
struct NarrowBuffer {
  private let buffer: Buffer
  var pointer: UnsafeMutablePointer<UInt16> { buffer.pointer.asNarrow }

  init(_ count: Int, _ memory: MemoryPool) { buffer = memory.take((count + 1) / 2) }

  func matrix(rows: Int, columns: Int) -> BFloat16Matrix { BFloat16Matrix(pointer, rows: rows, columns: columns) }
}

extension UnsafeMutablePointer<Float> {
  /// The same memory for bfloat16 values.
  public var asNarrow: UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: UInt16.self)
  }
}

extension BFloat16Matrix {
  public func row(_ index: Int) -> UnsafeMutablePointer<UInt16> { pointer + index * stride }

  public func rows(_ range: Range<Int>) -> BFloat16Matrix {
    BFloat16Matrix(pointer + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  public func columns(_ range: Range<Int>) -> BFloat16Matrix {
    BFloat16Matrix(pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}
