import CKernels

// Products of float32 matrices by bfloat16 instructions: each factor is rounded once, a block of rows at a time where it is
// read by one task, whole where several read it.
extension Engine {
  /// c = op(a) op(b), or c += where `adding`, with a and b rounded to bfloat16.
  func multiplyNarrow(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition, adding: Bool,
    finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
  ) {
    let right = NarrowBuffer(b.rows * b.columns, memory)
    narrow(b, into: right)
    let narrowB = right.matrix(rows: b.rows, columns: b.columns)
    if transposing == .left {
      let left = NarrowBuffer(a.rows * a.columns, memory)
      narrow(a, into: left)
      let narrowA = left.matrix(rows: a.rows, columns: a.columns)
      let (height, width) = Self.narrowTile(rows: c.rows, columns: c.columns, inner: a.rows)
      forTiles(c, height: height, width: width) { rows, columns in
        Compute.multiplyHere(
          narrowA.columns(rows), narrowB.columns(columns), into: c.rows(rows).columns(columns), transposing: .left,
          beta: adding ? 1 : 0)
        finish?(rows, columns)
      }
    } else {
      let (height, width) = Self.narrowTile(rows: c.rows, columns: c.columns, inner: a.columns)
      forTiles(c, height: height, width: width, scratch: (height * a.columns + 1) / 2) { rows, columns, scratch in
        let block = BFloat16Matrix(scratch.asNarrow, rows: rows.count, columns: a.columns)
        Self.narrowHere(a.rows(rows), into: block)
        Compute.multiplyHere(
          block, transposing == .right ? narrowB.rows(columns) : narrowB.columns(columns),
          into: c.rows(rows).columns(columns), transposing: transposing, beta: adding ? 1 : 0)
        finish?(rows, columns)
      }
    }
  }

  /// Rounds a matrix on all threads.
  private func narrow(_ x: Matrix, into y: NarrowBuffer) {
    rows(x.rows, cost: x.columns) { rows in
      Self.narrowHere(
        x.rows(rows),
        into: BFloat16Matrix(y.pointer + rows.lowerBound * x.columns, rows: rows.count, columns: x.columns))
    }
  }

  /// Rounds a matrix on the calling thread.
  static func narrowHere(_ x: Matrix, into y: BFloat16Matrix) {
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
  var asNarrow: UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(self).assumingMemoryBound(to: UInt16.self)
  }
}

extension BFloat16Matrix {
  func rows(_ range: Range<Int>) -> BFloat16Matrix {
    BFloat16Matrix(pointer + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  func columns(_ range: Range<Int>) -> BFloat16Matrix {
    BFloat16Matrix(pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }
}
