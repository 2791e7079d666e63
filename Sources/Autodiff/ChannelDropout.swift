import CKernels
import Compute

extension Tape {
  /// Dropout of whole channels: of each image, those that are kept times `scale`, the others zero. x [N·h·w, C] -> the same.
  /// - Parameter keep: [N·C] of 0 and 1.
  public func keepingChannels(_ x: FeatureMap, _ keep: [UInt8], scale: Float) -> FeatureMap {
    let channels = x.channels
    let pixels = x.height * x.width
    precondition(keep.count == x.images * channels)
    let factors = Tensor(rows: x.images, columns: channels, values: engine.memory.take(keep.count))
    factors.withValues { factors in
      for (place, keep) in keep.enumerated() { factors[place] = keep == 0 ? 0 : scale }
    }
    let stride = Tensor.stride(channels)
    let recompute = { [engine] in
      let values = engine.memory.take(max(1, x.tensor.rows * stride))
      let y = values.matrix(rows: x.tensor.rows, columns: channels, stride: stride)
      engine.rows(over: x.tensor, factors, cost: channels, as: .maps, values: 2 * x.tensor.count) { x, factors, range in
        for r in range { pmae_add_product(nil, 1, x.row(r), factors.row(r / pixels), y.row(r), channels) }
      }
      return values
    }
    let y = Tensor(
      rows: x.tensor.rows, columns: channels, tracksGradient: tracks([x.tensor]), isBFloat16: false,
      recompute: recompute)
    record(y) { [engine] dy in
      let (dx, isFirst) = x.tensor.gradientSink(engine)
      engine.rows(over: dy, factors, dx, cost: channels, as: .maps, values: 2 * dy.count) { dy, factors, dx, range in
        for r in range {
          pmae_add_product(isFirst ? nil : dx.row(r), 1, dy.row(r), factors.row(r / pixels), dx.row(r), channels)
        }
      }
    }
    return x.with(y)
  }
}
