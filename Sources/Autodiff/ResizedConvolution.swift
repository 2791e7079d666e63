import CKernels
import Compute

/// What a map that is resized adds to a convolution. Every place of the kernel multiplies the map where it is small; what comes out is
/// interpolated, shifted by the place, and added. One image at a time, so that the products of all places need no more memory than a few
/// maps.
struct ResizedConvolution {
  let map: FeatureMap
  let to: Raster
  let side: Int
  let outputs: Int
  let tape: Tape
  private let rows: Interpolation
  private let columns: Interpolation

  init(_ map: FeatureMap, to: Raster, side: Int, outputs: Int, tape: Tape) {
    precondition(map.images == to.images)
    (self.map, self.to, self.side, self.outputs, self.tape) = (map, to, side, outputs, tape)
    rows = Interpolation(from: map.height, to: to.height)
    columns = Interpolation(from: map.width, to: to.width)
  }

  private var engine: Engine { tape.engine }
  private var pixels: Int { map.height * map.width }
  private var margin: Int { side / 2 }
  private var flop: Int { 2 * pixels * side * side * outputs * map.channels }

  /// The columns of the result for which a place reads inside of the image.
  private func inside(_ shift: Int) -> Range<Int> { max(0, -shift)..<max(0, -shift, min(to.width, to.width - shift)) }

  /// y += the convolution of the resized map. weight [O, Σ C, side, side], of which some channels are the map's.
  func add(_ weight: Tensor, channels: Range<Int>, to y: Tensor) {
    let turned = engine.placesByOutputs(weight, side: side, channels: channels)
    let products = Tensor(rows: pixels, columns: side * side * outputs, engine: engine)
    for image in 0..<map.images {
      engine.measure(.convolution, flop: flop, values: products.count + turned.count + map.tensor.count / map.images) {
        map.tensor.withMatrix { x in
          withMatrices(turned, products) { turned, products in
            engine.multiply(
              .float32(x.rows(image * pixels..<(image + 1) * pixels)), .float32(turned), into: products,
              transposing: .right, precision: tape.precision)
          }
        }
      }
      engine.measure(.maps, values: products.count + 2 * y.count / map.images) {
        withMatrices(products, y) { products, y in
          engine.run(to.height, scratch: map.width * outputs) { row, scratch in
            interpolate(products, image: image, row: row, into: y, scratch)
          }
        }
      }
    }
  }

  /// One row of pixels of the result.
  private func interpolate(
    _ products: Matrix, image: Int, row: Int, into y: Matrix, _ scratch: UnsafeMutablePointer<Float>
  ) {
    for shift in -margin...margin {
      // What the kernel's rows read is added up first: along columns of pixels they are interpolated alike.
      scratch.update(repeating: 0, count: map.width * outputs)
      for offset in -margin...margin where 0..<to.height ~= row + offset {
        let place = (offset + margin) * side + shift + margin
        let at = rows[row + offset]
        for x in 0..<map.width {
          let sum = scratch + x * outputs
          pmae_axpy(1 - at.share, products.row(at.lower * map.width + x) + place * outputs, sum, outputs)
          if at.share != 0 {
            pmae_axpy(at.share, products.row(at.upper * map.width + x) + place * outputs, sum, outputs)
          }
        }
      }
      let range = inside(shift)
      if range.isEmpty { continue }
      pmae_resize_row(
        scratch, outputs, columns.places, shift, range.lowerBound, range.upperBound, y.row(to.row(image, row, 0)),
        y.stride, outputs)
    }
  }

  /// Adds to the gradients of the map and of its channels of the weight, which has one already.
  func backward(_ weight: Tensor, channels: Range<Int>, from dy: Tensor) {
    if !weight.tracksGradient && !map.tensor.tracksGradient { return }
    let turned = engine.placesByOutputs(weight, side: side, channels: channels)
    let sums = Tensor(rows: turned.rows, columns: turned.columns, engine: engine)
    let dx = map.tensor.tracksGradient ? map.tensor.gradientSink(engine) : nil
    let products = Tensor(rows: pixels, columns: side * side * outputs, engine: engine)
    let uses = rows.uses
    for image in 0..<map.images {
      engine.measure(.maps, values: products.count + 2 * dy.count / map.images) {
        withMatrices(dy, products) { dy, products in
          engine.run(map.height, scratch: to.width * outputs) { row, scratch in
            gather(dy, image: image, row: row, uses[row], into: products, scratch)
          }
        }
      }
      let values = products.count + turned.count
      let ofImage = image * pixels..<(image + 1) * pixels
      map.tensor.withMatrix { x in
        withMatrices(turned, products, sums) { turned, products, sums in
          if weight.tracksGradient {
            engine.measure(.convolutionBackward, flop: flop, values: values) {
              engine.multiply(
                .float32(products), .float32(x.rows(ofImage)), into: sums, transposing: .left, adding: image > 0,
                precision: tape.precision)
            }
          }
          if let (dx, isFirst) = dx {
            engine.measure(.convolutionBackward, flop: flop, values: values) {
              dx.withMatrix { dx in
                engine.multiply(
                  .float32(products), .float32(turned), into: dx.rows(ofImage), adding: !isFirst,
                  precision: tape.precision)
              }
            }
          }
        }
      }
    }
    if weight.tracksGradient {
      engine.addPlacesByOutputs(sums, to: weight.gradientSink(engine).gradient, side: side, channels: channels)
    }
  }

  /// The gradients of the products of one row of the small map.
  private func gather(
    _ dy: Matrix, image: Int, row: Int, _ uses: [(place: Int, share: Float)], into products: Matrix,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let first = row * map.width
    for x in 0..<map.width { products.row(first + x).update(repeating: 0, count: products.columns) }
    for offset in -margin...margin {
      scratch.update(repeating: 0, count: to.width * outputs)
      for (place, share) in uses where 0..<to.height ~= place - offset {
        let from = to.row(image, place - offset, 0)
        for x in 0..<to.width { pmae_axpy(share, dy.row(from + x), scratch + x * outputs, outputs) }
      }
      for shift in -margin...margin {
        let place = (offset + margin) * side + shift + margin
        let range = inside(shift)
        if range.isEmpty { continue }
        pmae_resize_row_backward(
          scratch, outputs, columns.places, shift, range.lowerBound, range.upperBound,
          products.row(first) + place * outputs, products.stride, outputs)
      }
    }
  }
}
