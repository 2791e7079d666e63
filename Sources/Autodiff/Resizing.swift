import CKernels
import Compute

extension Tape {
  /// A map resized bilinearly (PyTorch's, `align_corners=False`): x [N·h·w, C] -> [N·height·width, C].
  /// - Parameter base: where given, a map of that size that is added to it.
  public func resized(_ x: FeatureMap, height: Int, width: Int, onto base: FeatureMap? = nil) -> FeatureMap {
    precondition(base.map { $0.images == x.images && $0.height == height && $0.width == width } ?? true)
    let channels = x.channels
    let (rows, columns) = (Interpolation(from: x.height, to: height), Interpolation(from: x.width, to: width))
    let y = tensor(
      rows: x.images * height * width, columns: channels, from: [x.tensor] + (base.map { [$0.tensor] } ?? []))
    let to = Raster(images: x.images, height: height, width: width)
    engine.measure(.maps, values: x.tensor.count + 3 * y.count) {
      withMatrices(x.tensor, y, base?.tensor ?? y) { from, y, base in
        let isOnto = base.pointer != y.pointer
        engine.run(x.images * height, scratch: x.width * channels) { task, scratch in
          let (image, row) = task.quotientAndRemainder(dividingBy: height)
          for column in 0..<width {
            let place = to.row(image, row, column)
            if isOnto {
              y.row(place).update(from: base.row(place), count: channels)
            } else {
              y.row(place).update(repeating: 0, count: channels)
            }
          }
          let at = rows[row]
          let low = x.raster.row(image, at.lower, 0), high = x.raster.row(image, at.upper, 0)
          for column in 0..<x.width {
            pmae_between_rows(
              from.row(low + column), from.row(high + column), at.share, scratch + column * channels, channels)
          }
          pmae_resize_row(
            scratch, channels, columns.places, 0, 0, width, y.row(to.row(image, row, 0)), y.stride, channels)
        }
      }
    }
    if isRecording { for map in [x, base ?? x] { map.tensor.letGo() } }
    record(y) { [engine] dy in
      if let base = base?.tensor, base.tracksGradient { base.addGradient(dy, engine) }
      guard x.tensor.tracksGradient else { return }
      let (dx, isFirst) = x.tensor.gradientSink(engine)
      let uses = rows.uses
      engine.measure(.maps, values: 2 * dy.count + dx.count) {
        withMatrices(dy, dx) { dy, dx in
          engine.run(x.images * x.height, scratch: width * channels) { task, scratch in
            let (image, row) = task.quotientAndRemainder(dividingBy: x.height)
            // First along columns of pixels, then along rows.
            scratch.update(repeating: 0, count: width * channels)
            for (place, share) in uses[row] {
              let from = to.row(image, place, 0)
              for column in 0..<width {
                pmae_axpy(share, dy.row(from + column), scratch + column * channels, channels)
              }
            }
            let first = x.raster.row(image, row, 0)
            if isFirst {
              for column in 0..<x.width { dx.row(first + column).update(repeating: 0, count: channels) }
            }
            pmae_resize_row_backward(
              scratch, channels, columns.places, 0, 0, width, dx.row(first), dx.stride, channels)
          }
        }
      }
    }
    return FeatureMap(y, to)
  }
}
