// The gradient of a convolution's weights: for each place of the kernel the sum over pixels of the result's gradient, transposed, times
// what the place reads. Some rows of pixels at a time are laid out with one zero pixel between two rows, and a row of zeros above and
// below. Then a place of the kernel is a shift by a constant, and what is packed once of the input serves all places.

extension Engine {
  /// Adds the gradient of the weights to `sums`, [places · O, I], a place's outputs one after the other.
  /// - Parameters:
  ///   - dy: the gradient of the result, [pixels, O].
  ///   - x: what was convolved, [pixels, I].
  public func addConvolutionWeights(
    _ dy: Operand, _ x: Operand, side: Int, over raster: Raster, to sums: Matrix, precision: Precision
  ) {
    precondition(dy.rows == raster.pixels && x.rows == raster.pixels, "pixels of another raster")
    precondition(sums.rows == side * side * dy.columns && sums.columns == x.columns, "sums of another shape")
    // So many rows of pixels that what is packed of them stays in the second cache beside a tile of the sums.
    let height = max(1, min(raster.height, 1024 / (raster.width + side / 2)))
    for image in 0..<raster.images {
      for first in stride(from: 0, to: raster.height, by: height) {
        let part = RasterPart(
          raster, image: image, rows: first..<min(raster.height, first + height), margin: side / 2)
        if precision == .bfloat16 {
          addRounded(dy, x, part, side: side, to: sums)
        } else {
          guard case .float32(let dy) = dy, case .float32(let x) = x else {
            preconditionFailure("a bfloat16 factor of a float32 product")
          }
          add(dy, x, part, side: side, to: sums)
        }
      }
    }
  }

  /// The sums for some rows of pixels, in float32.
  private func add(_ dy: Matrix, _ x: Matrix, _ part: RasterPart, side: Int, to sums: Matrix) {
    let (outputs, inputs) = (dy.columns, x.columns)
    // A cache line more than the columns: rows a power of two apart fall into few sets of the cache.
    let stride = (outputs + 15) / 16 * 16 + 16
    let left = memory.take(part.outputs * stride)
    let right = memory.take(part.inputs * inputs)
    threads.run(part.outputRows) { row in
      part.copyOutputs(dy, row, to: left.pointer, stride: stride)
    }
    threads.run(part.inputRows) { row in part.copyInputs(x, row, to: right.pointer, stride: inputs) }
    let gradient = left.matrix(rows: part.outputs, columns: outputs, stride: stride)
    let input = right.matrix(rows: part.inputs, columns: inputs)
    guard let panels = multiplier.panels else {
      return forPlaces(side, outputs, inputs, panel: 64, part) { place, rows, columns in
        let at = part.start(of: place, side: side)
        let c = sums.rows(place * outputs + rows.lowerBound..<place * outputs + rows.upperBound).columns(columns)
        multiplier.multiply(
          gradient.columns(rows), input.rows(at..<at + part.outputs).columns(columns), into: c, transposing: .left,
          adding: true, scratch: c.pointer)
      }
    }
    let packed = pack(panels, input, transposing: .none, inner: part.inputs, columns: inputs)
    forPlaces(side, outputs, inputs, panel: panels.width, part) { place, rows, columns in
      let c = sums.rows(place * outputs + rows.lowerBound..<place * outputs + rows.upperBound).columns(columns)
      panels.multiply(
        gradient.columns(rows), transposing: .left, inner: part.outputs,
        packed.pointer + columns.lowerBound * part.inputs + part.start(of: place, side: side) * panels.width, into: c,
        adding: true)
    }
  }

  /// The same with both factors rounded to bfloat16.
  private func addRounded(_ dy: Operand, _ x: Operand, _ part: RasterPart, side: Int, to sums: Matrix) {
    let (outputs, inputs) = (dy.columns, x.columns)
    let left = memory.take((part.outputs * outputs + 1) / 2)
    let right = memory.take((part.inputs * inputs + 1) / 2)
    let gradient = left.bfloat16Matrix(rows: part.outputs, columns: outputs)
    let input = right.bfloat16Matrix(rows: part.inputs, columns: inputs)
    threads.run(part.outputRows) { row in part.copyOutputs(dy, row, to: gradient) }
    threads.run(part.inputRows) { row in part.copyInputs(x, row, to: input) }
    guard let panels = multiplier.pairs else {
      return forPlaces(side, outputs, inputs, panel: 128, part) { place, rows, columns in
        let at = part.start(of: place, side: side)
        Compute.multiplyHere(
          gradient.columns(rows), input.rows(at..<at + part.outputs).columns(columns),
          into: sums.rows(place * outputs + rows.lowerBound..<place * outputs + rows.upperBound).columns(columns),
          transposing: .left, beta: 1)
      }
    }
    let width = (outputs + 15) / 16 * 16 + 16
    let inner = (part.outputs + 1) / 2
    let turned = packPairs(.bfloat16(gradient), rows: 0..<part.outputs, panel: width)
    // Pairs of rows that begin at an even one, and at an odd one, for the places that begin there.
    let pairs = [
      packPairs(.bfloat16(input), rows: 0..<part.inputs, panel: panels.width),
      packPairs(.bfloat16(input), rows: 1..<part.inputs, panel: panels.width),
    ]
    let spacing = [(part.inputs + 1) / 2, part.inputs / 2]
    let pointers = pairs.map(\.pointer)
    withExtendedLifetime(pairs) {
      forPlaces(side, outputs, inputs, panel: panels.width, part) { place, rows, columns in
        let at = part.start(of: place, side: side)
        panels.multiply(
          turned.matrix(rows: inner, columns: width).columns(rows), transposing: .left, inner: inner,
          pointers[at % 2] + columns.lowerBound * spacing[at % 2] + at / 2 * panels.width,
          into: sums.rows(place * outputs + rows.lowerBound..<place * outputs + rows.upperBound).columns(columns),
          adding: true)
      }
    }
  }

  /// Calls `product` for each place of a kernel and each tile of its sums, the columns of a tile those of one panel.
  private func forPlaces(
    _ side: Int, _ outputs: Int, _ inputs: Int, panel: Int, _ part: RasterPart,
    _ product: (_ place: Int, _ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    let height = 96
    let down = (outputs + height - 1) / height
    threads.run(side * side * down) { task in
      let rows = task % down * height..<min(outputs, (task % down + 1) * height)
      for first in stride(from: 0, to: inputs, by: panel) {
        product(task / down, rows, first..<min(inputs, first + panel))
      }
    }
  }
}

/// Some rows of pixels of an image, laid out so that a place of a kernel is a constant shift.
struct RasterPart {
  let raster: Raster
  let image: Int
  let rows: Range<Int>
  /// Zeros on each side of a row of pixels, and rows of zeros above and below the image.
  let margin: Int

  init(_ raster: Raster, image: Int, rows: Range<Int>, margin: Int) {
    (self.raster, self.image, self.rows, self.margin) = (raster, image, rows, margin)
  }

  /// Pixels from a row to the next: neighbours share the zeros between them.
  var pitch: Int { raster.width + margin }
  var outputRows: Int { rows.count }
  var inputRows: Int { rows.count + 2 * margin }
  /// Pixels of the result's gradient, zeros included.
  var outputs: Int { outputRows * pitch }
  /// Pixels of the input. After the last row there are zeros for its last pixel's neighbour, and one for a pair.
  var inputs: Int { inputRows * pitch + 2 * margin + 1 }

  /// The first pixel of the input that a place multiplies.
  func start(of place: Int, side: Int) -> Int { place / side * pitch + place % side }

  func copyOutputs(_ dy: Matrix, _ row: Int, to out: UnsafeMutablePointer<Float>, stride: Int) {
    let first = out + row * pitch * stride
    for x in 0..<raster.width {
      (first + x * stride).update(from: dy.row(raster.row(image, rows.lowerBound + row, x)), count: dy.columns)
    }
    (first + raster.width * stride).update(repeating: 0, count: margin * stride)
  }

  func copyInputs(_ x: Matrix, _ row: Int, to out: UnsafeMutablePointer<Float>, stride: Int) {
    let y = rows.lowerBound + row - margin
    let first = out + row * pitch * stride
    if row == inputRows - 1 {
      (first + pitch * stride).update(repeating: 0, count: (2 * margin + 1) * stride)
    }
    guard 0..<raster.height ~= y else { return first.update(repeating: 0, count: pitch * stride) }
    first.update(repeating: 0, count: margin * stride)
    for column in 0..<raster.width {
      (first + (margin + column) * stride).update(from: x.row(raster.row(image, y, column)), count: x.columns)
    }
  }

  func copyOutputs(_ dy: Operand, _ row: Int, to out: BFloat16Matrix) {
    let first = raster.row(image, rows.lowerBound + row, 0)
    Self.copy(dy, first..<first + raster.width, to: out, at: row * pitch)
    out.row(row * pitch + raster.width).update(repeating: 0, count: margin * out.columns)
  }

  func copyInputs(_ x: Operand, _ row: Int, to out: BFloat16Matrix) {
    let y = rows.lowerBound + row - margin
    if row == inputRows - 1 {
      out.row((row + 1) * pitch).update(repeating: 0, count: (2 * margin + 1) * out.columns)
    }
    guard 0..<raster.height ~= y else {
      return out.row(row * pitch).update(repeating: 0, count: pitch * out.columns)
    }
    out.row(row * pitch).update(repeating: 0, count: margin * out.columns)
    let first = raster.row(image, y, 0)
    Self.copy(x, first..<first + raster.width, to: out, at: row * pitch + margin)
  }

  /// Rows in bfloat16.
  private static func copy(_ x: Operand, _ range: Range<Int>, to out: BFloat16Matrix, at row: Int) {
    switch x {
    case .float32(let x): Engine.roundHere(x.rows(range), into: out.rows(row..<row + range.count))
    case .bfloat16(let x):
      for (from, to) in zip(range, row...) { out.row(to).update(from: x.row(from), count: x.columns) }
    }
  }
}
