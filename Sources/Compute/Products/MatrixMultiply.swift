extension Engine {
  /// c = op(a) op(b), or c += where `adding`, on all threads.
  public func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition = .none, adding: Bool = false,
    precision: Precision = .float32
  ) {
    multiply(
      .float32(a), .float32(b), into: c, transposing: transposing, adding: adding, precision: precision)
  }

  /// c = op(a) op(b), or c += where `adding`, over tiles of the product on all threads. The tiles follow from the shapes alone and
  /// every value is summed in one order, so the bits do not depend on the threads.
  /// - Parameter precision: bfloat16 wherever a factor is.
  public func multiply(
    _ a: Operand, _ b: Operand, into c: Matrix, transposing: Transposition = .none, adding: Bool = false,
    precision: Precision
  ) {
    precondition((transposing == .left ? a.columns : a.rows) == c.rows, "rows differ")
    precondition((transposing == .right ? b.rows : b.columns) == c.columns, "columns differ")
    multiply(a, b, to: .matrix(c, adding: adding), transposing: transposing, precision: precision)
  }

  /// op(a) op(b), given to a function in tiles: each once, in no order and on several threads. The product is never whole in memory.
  /// - Parameters:
  ///   - transposing: not the left factor: such a product is summed in parts, and no tile is whole before the last.
  ///   - precision: bfloat16 wherever a factor is.
  public func multiply(
    _ a: Operand, _ b: Operand, transposing: Transposition = .none, precision: Precision, tiles body: (Tile) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      multiply(a, b, to: .tiles(body), transposing: transposing, precision: precision)
    }
  }

  private func multiply(
    _ a: Operand, _ b: Operand, to destination: Destination, transposing: Transposition, precision: Precision
  ) {
    precondition(
      (transposing == .right ? b.columns : b.rows) == (transposing == .left ? a.rows : a.columns),
      "inner dimensions differ")
    let rows = transposing == .left ? a.columns : a.rows
    let columns = transposing == .right ? b.rows : b.columns
    if rows == 0 || columns == 0 { return }
    guard precision == .float32, case .float32(let a) = a, case .float32(let b) = b else {
      precondition(precision == .bfloat16, "a bfloat16 factor of a float32 product")
      return multiplyBFloat16(a, b, rows, columns, to: destination, transposing: transposing)
    }
    guard let panels = multiplier.panels else {
      return multiplyTiles(a, b, rows, columns, to: destination, transposing: transposing)
    }
    if transposing == .left {
      multiplyLeft(panels, a, b, to: destination)
    } else {
      let packed = pack(panels, b, transposing: transposing, inner: a.columns, columns: columns)
      multiplyPacked(panels, packed, a.rows, columns, inner: a.columns, to: destination) { rows, _, use in
        use(a.rows(rows))
      }
    }
  }

  /// Tiles of a product with a b that is packed.
  /// - Parameters:
  ///   - copied: scratch values a row that `part` needs.
  ///   - part: calls `use` with some rows of a, which may lie in the scratch memory.
  func multiplyPacked(
    _ panels: Multiplier.Panels, _ packed: Buffer, _ rows: Int, _ columns: Int, inner: Int, to destination: Destination,
    copied: Int = 0,
    part: (_ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>, _ use: (_ a: Matrix) -> Void) -> Void
  ) {
    let tile = Self.tile(rows: rows, columns: columns, inner: inner, panel: panels.width)
    let own = destination.scratch(tile)
    forTiles(rows, columns, tile, scratch: own + tile.height * copied) { rows, columns, scratch in
      let c = destination.place(rows, columns, scratch: scratch)
      part(rows, scratch + own) { a in
        panels.multiply(
          a, transposing: .none, inner: inner, packed.pointer + columns.lowerBound * inner, into: c,
          adding: destination.isAdding)
      }
      destination.finish(rows, columns, c)
    }
  }

  /// aᵀ b, the gradient of a weight: many rows summed into a small c, a thousand of them at a time, so that what is packed of b
  /// stays in cache.
  private func multiplyLeft(
    _ panels: Multiplier.Panels, _ a: Matrix, _ b: Matrix, to destination: Destination
  ) {
    guard case .matrix(let c, let adding) = destination else { preconditionFailure("sums of parts need a matrix") }
    let parts = max(1, (a.rows + 1023) / 1024)
    for part in 0..<parts {
      let rows = a.rows * part / parts..<a.rows * (part + 1) / parts
      let packed = pack(panels, b.rows(rows), transposing: .none, inner: rows.count, columns: c.columns)
      let tile = Self.tile(rows: c.rows, columns: c.columns, inner: rows.count, panel: panels.width)
      forTiles(c.rows, c.columns, tile, scratch: 0) { height, columns, _ in
        panels.multiply(
          a.rows(rows).columns(height), transposing: .left, inner: rows.count,
          packed.pointer + columns.lowerBound * rows.count, into: c.rows(height).columns(columns),
          adding: adding || part > 0)
      }
    }
  }

  /// b in panels, packed on all threads.
  func pack(
    _ panels: Multiplier.Panels, _ b: Matrix, transposing: Transposition, inner: Int, columns: Int
  ) -> Buffer {
    let packed = memory.take(max(1, panels.size(inner: inner, columns: columns)))
    let step = panels.width * max(1, 16384 / (max(inner, 1) * panels.width))
    threads.run((columns + step - 1) / step) { index in
      let columns = index * step..<min(columns, (index + 1) * step)
      panels.pack(
        b, transposing: transposing, inner: inner, columns: columns, into: packed.pointer + columns.lowerBound * inner)
    }
    return packed
  }

  /// With OpenBLAS, which packs its own.
  private func multiplyTiles(
    _ a: Matrix, _ b: Matrix, _ rows: Int, _ columns: Int, to destination: Destination, transposing: Transposition
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    let tile = Self.squareTile(rows: rows, columns: columns, inner: inner)
    forTiles(rows, columns, tile, scratch: destination.scratch(tile)) { rows, columns, scratch in
      let c = destination.place(rows, columns, scratch: scratch)
      multiplier.multiply(
        transposing == .left ? a.columns(rows) : a.rows(rows),
        transposing == .right ? b.rows(columns) : b.columns(columns), into: c, transposing: transposing,
        adding: destination.isAdding, scratch: scratch)
      destination.finish(rows, columns, c)
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

  /// Runs `body` for each tile of a product.
  func forTiles(
    _ rows: Int, _ columns: Int, _ tile: (height: Int, width: Int), scratch: Int,
    _ body: (_ rows: Range<Int>, _ columns: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void
  ) {
    let across = (columns + tile.width - 1) / tile.width
    run((rows + tile.height - 1) / tile.height * across, scratch: scratch) { index, scratch in
      let i = index / across * tile.height
      let j = index % across * tile.width
      body(i..<min(rows, i + tile.height), j..<min(columns, j + tile.width), scratch)
    }
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
