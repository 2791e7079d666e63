import CKernels
import Compute

extension Tape {
  /// The means of size × size parts of each image: x [N·h·w, C] -> [N·size², C]. Part i of an edge of n pixels has those from ⌊i n / size⌋
  /// to ⌈(i + 1) n / size⌉, as in PyTorch's AdaptiveAvgPool2d: parts overlap where size does not divide n.
  public func averagePooled(_ x: FeatureMap, to size: Int) -> FeatureMap {
    let channels = x.channels
    func edges(_ count: Int) -> [Range<Int>] {
      (0..<size).map { $0 * count / size..<(($0 + 1) * count + size - 1) / size }
    }
    let (rows, columns) = (edges(x.height), edges(x.width))
    let to = Raster(images: x.images, height: size, width: size)
    let y = tensor(rows: to.pixels, columns: channels, from: x.tensor)
    engine.rows(
      over: x.tensor, y, count: to.pixels, cost: x.tensor.count / to.pixels, as: .maps, values: x.tensor.count + y.count
    ) { from, y, range in
      for part in range {
        let (image, row, column) = (part / (size * size), part / size % size, part % size)
        let share = 1 / Float(rows[row].count * columns[column].count)
        y.row(part).update(repeating: 0, count: channels)
        for i in rows[row] {
          for j in columns[column] { pmae_axpy(share, from.row(x.raster.row(image, i, j)), y.row(part), channels) }
        }
      }
    }
    record(y) { [engine] dy in
      let (dx, isFirst) = x.tensor.gradientSink(engine)
      if isFirst { engine.zero(dx) }
      engine.rows(over: dy, dx, count: x.images * x.height, cost: x.width * channels, as: .maps, values: 2 * dx.count) {
        dy, dx, range in
        for line in range {
          let (image, i) = line.quotientAndRemainder(dividingBy: x.height)
          for row in 0..<size where rows[row].contains(i) {
            for column in 0..<size {
              let share = 1 / Float(rows[row].count * columns[column].count)
              let part = dy.row(to.row(image, row, column))
              for j in columns[column] { pmae_axpy(share, part, dx.row(x.raster.row(image, i, j)), channels) }
            }
          }
        }
      }
    }
    return FeatureMap(y, to)
  }

  /// The greatest of each 2 × 2 pixels, a last odd row or column left out: x [N·h·w, C] -> [N·⌊h/2⌋·⌊w/2⌋, C]. Of equals the first, row by
  /// row, has the gradient.
  public func maxPooled(_ x: FeatureMap) -> FeatureMap {
    let channels = x.channels
    let (from, to) = (x.raster, Raster(images: x.images, height: x.height / 2, width: x.width / 2))
    let y = tensor(rows: to.pixels, columns: channels, from: x.tensor)
    /// The four pixels of x of a pixel of the result.
    @Sendable func four(_ pixel: Int) -> (Int, Int, Int, Int) {
      let (line, column) = pixel.quotientAndRemainder(dividingBy: to.width)
      let (image, row) = line.quotientAndRemainder(dividingBy: to.height)
      let first = from.row(image, 2 * row, 2 * column)
      return (first, first + 1, first + from.width, first + from.width + 1)
    }
    engine.rows(over: y, x.tensor, cost: 4 * channels, as: .maps, values: 5 * y.count) { y, x, range in
      for pixel in range {
        let (a, b, c, d) = four(pixel)
        pmae_max4(x.row(a), x.row(b), x.row(c), x.row(d), y.row(pixel), channels)
      }
    }
    record(y) { [engine] dy in
      let (dx, isFirst) = x.tensor.gradientSink(engine)
      if isFirst { engine.zero(dx) }
      engine.rows(over: dy, x.tensor, dx, cost: 4 * channels, as: .maps, values: 9 * dy.count) { dy, x, dx, range in
        for pixel in range {
          let (a, b, c, d) = four(pixel)
          pmae_max4_backward(
            x.row(a), x.row(b), x.row(c), x.row(d), dy.row(pixel), dx.row(a), dx.row(b), dx.row(c), dx.row(d), channels)
        }
      }
    }
    return FeatureMap(y, to)
  }
}
