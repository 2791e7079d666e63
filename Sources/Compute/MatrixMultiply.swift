extension Engine {
  /// c = op(a) op(b), or c += where `adding`, over tiles of c on all threads. The tiles follow from the shapes alone and
  /// every value is summed in one order, so the bits do not depend on the threads.
  /// - Parameter finish: called for each tile when it is computed, while it is still in cache: rows, columns of c.
  public func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none, adding: Bool = false,
    precision: Precision = .float32, finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)? = nil
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    precondition((transposing == .right ? b.columns : b.rows) == inner, "inner dimensions differ")
    precondition((transposing == .left ? a.columns : a.rows) == c.rows, "rows differ")
    precondition((transposing == .right ? b.rows : b.columns) == c.columns, "columns differ")
    if c.rows == 0 || c.columns == 0 { return }
    if precision == .bfloat16 {
      return multiplyNarrow(a, b, into: c, transposing: transposing, adding: adding, finish: finish)
    }
    guard let panels = multiplier.panels else {
      return multiplyTiles(a, b, into: c, transposing: transposing, adding: adding, finish: finish)
    }
    if transposing == .left {
      multiplyLeft(panels, a, b, into: c, adding: adding, finish: finish)
    } else {
      multiplyPacked(panels, a, b, into: c, transposing: transposing, adding: adding, finish: finish)
    }
  }

  /// b is packed once, by all threads, then tiles of c are computed from it.
  private func multiplyPacked(
    _ panels: Multiplier.Panels, _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition, adding: Bool,
    finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
  ) {
    let inner = a.columns
    let packed = memory.take(max(1, panels.size(inner: inner, columns: c.columns)))
    pack(panels, b, transposing: transposing, inner: inner, columns: c.columns, into: packed.pointer)
    let (height, width) = Self.tile(rows: c.rows, columns: c.columns, inner: inner, panel: panels.width)
    forTiles(c, height: height, width: width) { rows, columns in
      panels.multiply(
        a.rows(rows), transposing: .none, inner: inner, packed.pointer + columns.lowerBound * inner,
        into: c.rows(rows).columns(columns), adding: adding)
      finish?(rows, columns)
    }
  }

  /// aᵀ b, the gradient of a weight: many rows summed into a small c, a thousand of them at a time, so that what is packed of b
  /// stays in cache.
  private func multiplyLeft(
    _ panels: Multiplier.Panels, _ a: Matrix, _ b: Matrix, into c: Matrix, adding: Bool,
    finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
  ) {
    let parts = max(1, (a.rows + 1023) / 1024)
    let packed = memory.take(max(1, panels.size(inner: (a.rows + parts - 1) / parts, columns: c.columns)))
    for part in 0..<parts {
      let rows = a.rows * part / parts..<a.rows * (part + 1) / parts
      pack(panels, b.rows(rows), transposing: .none, inner: rows.count, columns: c.columns, into: packed.pointer)
      let (height, width) = Self.tile(rows: c.rows, columns: c.columns, inner: rows.count, panel: panels.width)
      forTiles(c, height: height, width: width) { tile, columns in
        panels.multiply(
          a.rows(rows).columns(tile), transposing: .left, inner: rows.count,
          packed.pointer + columns.lowerBound * rows.count, into: c.rows(tile).columns(columns),
          adding: adding || part > 0)
        if part == parts - 1 { finish?(tile, columns) }
      }
    }
  }

  /// Packs b on all threads.
  private func pack(
    _ panels: Multiplier.Panels, _ b: Matrix, transposing: Transposition, inner: Int, columns: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    run(columns, by: panels.width * max(1, 16384 / (max(inner, 1) * panels.width))) { columns in
      panels.pack(
        b, transposing: transposing, inner: inner, columns: columns, into: packed + columns.lowerBound * inner)
    }
  }

  /// With OpenBLAS, which packs its own.
  private func multiplyTiles(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition, adding: Bool,
    finish: ((_ rows: Range<Int>, _ columns: Range<Int>) -> Void)?
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    let (height, width) = Self.squareTile(rows: c.rows, columns: c.columns, inner: inner)
    forTiles(c, height: height, width: width, scratch: 1) { rows, columns, scratch in
      multiplier.multiply(
        transposing == .left ? a.columns(rows) : a.rows(rows),
        transposing == .right ? b.rows(columns) : b.columns(columns), into: c.rows(rows).columns(columns),
        transposing: transposing, adding: adding, scratch: scratch)
      finish?(rows, columns)
    }
  }

  /// Scratch values that `multiplyHere` needs.
  public func scratch(inner: Int, columns: Int) -> Int { multiplier.scratch(inner: inner, columns: columns) }

  /// c = op(a) op(b), or c += where `adding`, on the calling thread.
  public func multiplyHere(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none, adding: Bool = false,
    scratch: UnsafeMutablePointer<Float>
  ) {
    multiplier.multiply(a, b, into: c, transposing: transposing, adding: adding, scratch: scratch)
  }

  func forTiles(
    _ c: Matrix, height: Int, width: Int, scratch: Int = 0,
    _ body: (_ rows: Range<Int>, _ columns: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let across = (c.columns + width - 1) / width
    run((c.rows + height - 1) / height * across, scratch: scratch) { index, scratch in
      let i = index / across * height
      let j = index % across * width
      body(i..<min(c.rows, i + height), j..<min(c.columns, j + width), scratch)
    }
  }

  func forTiles(
    _ c: Matrix, height: Int, width: Int, _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    forTiles(c, height: height, width: width, scratch: 0) { rows, columns, _ in body(rows, columns) }
  }

  /// Runs `body` over ranges of `step` of `count`.
  private func run(_ count: Int, by step: Int, _ body: (Range<Int>) -> Void) {
    threads.run((count + step - 1) / step) { index in body(index * step..<min(count, (index + 1) * step)) }
  }

  /// The size of a tile where b is packed: as many rows as leave some thirty tiles, then fewer columns where rows are few.
  static func tile(rows: Int, columns: Int, inner: Int, panel: Int) -> (height: Int, width: Int) {
    let enough = 32
    var height = 96
    while height > 24 && (rows + height - 1) / height < enough { height /= 2 }
    let down = (rows + height - 1) / height
    var width = columns
    while down * ((columns + width - 1) / width) < enough && width > panel && 2 * height * width * inner > 1_000_000 {
      width = ((width + 1) / 2 + panel - 1) / panel * panel
    }
    return (height, width)
  }

  /// The size of a tile for OpenBLAS: c is halved along its longer side until there are enough tiles to share out evenly, or
  /// one would be too small to be worth its packing.
  static func squareTile(rows: Int, columns: Int, inner: Int) -> (height: Int, width: Int) {
    var height = rows
    var width = columns
    var tiles = 1
    while tiles < 16 && 2 * height * width * inner > 8_000_000 {
      if height >= width {
        if height <= 64 { break }
        height = ((height + 1) / 2 + 15) / 16 * 16
      } else {
        if width <= 64 { break }
        width = ((width + 1) / 2 + 15) / 16 * 16
      }
      tiles *= 2
    }
    return (height, width)
  }
}
