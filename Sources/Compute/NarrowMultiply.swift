import CKernels

// Products of float32 matrices by bfloat16 instructions: each factor is rounded once, a block of rows at a time where it is
// read by one task, whole where several read it.
extension Engine {
  /// op(a) op(b), float32 factors rounded to bfloat16.
  func multiplyNarrow(
    _ a: Operand, _ b: Operand, _ rows: Int, _ columns: Int, to destination: Destination, transposing: Transposition
  ) {
    let right = narrow(b)
    defer { withExtendedLifetime(right) {} }
    let inner = transposing == .left ? a.rows : a.columns
    let tile = Self.narrowTile(rows: rows, columns: columns, inner: inner)
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
  private func narrow(_ x: Operand) -> (matrix: BFloat16Matrix, owner: NarrowBuffer?) {
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

  /// The size of a tile: oneDNN's kernels like some hundred rows, and all columns where that leaves enough tiles.
  static func narrowTile(rows: Int, columns: Int, inner: Int) -> (height: Int, width: Int) {
    let enough = 24
    var height = 256
    while height > 64 && (rows + height - 1) / height < enough { height /= 2 }
    let down = (rows + height - 1) / height
    var width = columns
    while down * ((columns + width - 1) / width) < enough && width > 64 && 2 * height * width * inner > 4_000_000 {
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
