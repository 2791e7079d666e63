import CKernels

// Convolutions as products of matrices, without a matrix of patches. Of a row of pixels, the pixels that one place of the kernel reads
// lie one after the other in memory too, so the kernels of `Multiply.h` read them where they are: a tile of the result takes one product
// for each place and row. What a place would read outside of the image is left out, not multiplied by zero.

extension Engine {
  /// y = a convolution of x by an odd square kernel, stride 1, as large as x, zeros around the image; or y += where `adding`.
  /// x [pixels, I], y [pixels, O].
  /// - Parameters:
  ///   - weights: [O, places · I], a place's inputs one after the other.
  ///   - isBackward: x is the gradient [pixels, O] of a result, and y that of the input [pixels, I].
  ///   - bias: [1, columns of y], added at the end.
  ///   - precision: bfloat16 rounds both factors.
  public func convolve(
    _ x: Operand, _ weights: Matrix, side: Int, over raster: Raster, isBackward: Bool = false, bias: Matrix? = nil,
    into y: Matrix, adding: Bool = false, precision: Precision
  ) {
    let places = KernelPlaces(side: side)
    let inputs = weights.columns / places.count
    let (inner, columns) = isBackward ? (weights.rows, inputs) : (inputs, weights.rows)
    precondition(side % 2 == 1 && x.columns == inner && y.columns == columns, "a kernel of another shape")
    precondition(x.rows == raster.pixels && y.rows == raster.pixels, "pixels of another raster")
    let transposing: Transposition = isBackward ? .none : .right
    func part(_ place: Int) -> Range<Int> { place * inputs..<(place + 1) * inputs }
    let order = places.middleFirst

    if precision == .bfloat16 {
      if let panels = multiplier.pairs {
        let packed = order.map { place in
          isBackward
            ? packPairs(.float32(weights.columns(part(place))), rows: 0..<weights.rows, panel: panels.width)
            : packPairs(panels, .float32(weights.columns(part(place))), inner: (inner + 1) / 2)
        }
        let pointers = packed.map(\.pointer)
        return withExtendedLifetime(packed) {
          withPairs(x) { x in
            forEachRun(places, order, raster, isBackward, bias, y) { place, from, to, c in
              panels.multiply(
                x.rows(from), transposing: .none, inner: x.columns, pointers[place], into: c,
                adding: adding || place > 0)
            }
          }
        }
      }
      let rounded = memory.take((weights.rows * weights.columns + 1) / 2)
      let all = rounded.bfloat16Matrix(rows: weights.rows, columns: weights.columns)
      round(weights, into: all)
      return withRounded(x) { x in
        forEachRun(places, order, raster, isBackward, bias, y) { place, from, to, c in
          Compute.multiplyHere(
            x.rows(from), all.columns(part(order[place])), into: c, transposing: transposing,
            beta: adding || place > 0 ? 1 : 0)
        }
      }
    }
    guard case .float32(let x) = x else { preconditionFailure("a bfloat16 factor of a float32 product") }
    if let panels = multiplier.panels {
      let packed = order.map {
        pack(panels, weights.columns(part($0)), transposing: transposing, inner: inner, columns: columns)
      }
      let pointers = packed.map(\.pointer)
      withExtendedLifetime(packed) {
        forEachRun(places, order, raster, isBackward, bias, y) { place, from, to, c in
          panels.multiply(
            x.rows(from), transposing: .none, inner: inner, pointers[place], into: c, adding: adding || place > 0)
        }
      }
    } else {
      forEachRun(places, order, raster, isBackward, bias, y) { place, from, to, c in
        multiplier.multiply(
          x.rows(from), weights.columns(part(order[place])), into: c, transposing: transposing,
          adding: adding || place > 0, scratch: c.pointer)
      }
    }
  }

  /// Calls `product` for each row of pixels in each tile of y and each place of the kernel, in the order of places, and adds the bias.
  /// - Parameter product: `place` counts in `order`; `from` are rows of x, `c` the rows of y that they add to.
  private func forEachRun(
    _ places: KernelPlaces, _ order: [Int], _ raster: Raster, _ isBackward: Bool, _ bias: Matrix?, _ y: Matrix,
    _ product: (_ place: Int, _ from: Range<Int>, _ to: Range<Int>, _ c: Matrix) -> Void
  ) {
    let offsets = order.map { place in
      let offset = places.offset(place)
      return isBackward ? (y: -offset.y, x: -offset.x) : offset
    }
    let tile = Self.rasterTile(raster)
    let across = (raster.width + tile.width - 1) / tile.width
    let down = (raster.height + tile.height - 1) / tile.height
    threads.run(raster.images * down * across) { task in
      let image = task / (down * across)
      let rows = Self.part(task / across % down, of: raster.height, size: tile.height)
      let columns = Self.part(task % across, of: raster.width, size: tile.width)
      for (place, offset) in offsets.enumerated() {
        let first = max(columns.lowerBound, -offset.x)
        let end = min(columns.upperBound, raster.width - offset.x)
        if first >= end { continue }
        for row in rows where 0..<raster.height ~= row + offset.y {
          let from = raster.row(image, row + offset.y, first + offset.x)
          let to = raster.row(image, row, first)
          let count = end - first
          product(place, from..<from + count, to..<to + count, y.rows(to..<to + count))
        }
      }
      if let bias {
        for row in rows {
          for column in columns { addBias(bias, to: y.row(raster.row(image, row, column))) }
        }
      }
    }
  }

  private func addBias(_ bias: Matrix, to row: UnsafeMutablePointer<Float>) {
    pmae_axpy(1, bias.pointer, row, bias.columns)
  }

  private static func part(_ index: Int, of count: Int, size: Int) -> Range<Int> {
    index * size..<min(count, (index + 1) * size)
  }

  /// The size of a tile in pixels: long rows are cut evenly, and of short ones several are taken, so that what is packed of the weights
  /// is read for many pixels, and there are tiles for several threads.
  static func rasterTile(_ raster: Raster) -> (height: Int, width: Int) {
    let pieces = (raster.width + 191) / 192
    let width = max(1, (raster.width + pieces - 1) / pieces)
    var height = max(1, min(raster.height, 128 / width))
    while height > 1 && height * width > 32 && raster.pixels / (height * width) < 16 { height = (height + 1) / 2 }
    return (height, width)
  }

  /// A factor as rows of pairs of bfloat16, copied where it does not lie so.
  private func withPairs(_ x: Operand, _ body: (Matrix) -> Void) {
    if case .bfloat16(let x) = x, let pairs = x.pairs { return body(pairs) }
    let width = (x.columns + 1) / 2
    let buffer = memory.take(max(1, x.rows * width))
    rows(x.rows, cost: x.columns) { rows in
      _ = Self.copyPairs(x, rows: rows, to: buffer.pointer + rows.lowerBound * width)
    }
    body(buffer.matrix(rows: x.rows, columns: width))
  }
}
