import CKernels
import Compute

extension Tape {
  /// A convolution by a square kernel of an odd side, stride 1, as large as its input, zeros around it (PyTorch's `padding=side // 2`), of
  /// maps that are first resized to the size of the first and set one behind the other: maps [N·hᵢ·wᵢ, Cᵢ], weight [O, Σ Cᵢ, side, side]
  /// -> [N·h·w, O].
  ///
  /// A map that is resized is never made whole. What a place of the kernel multiplies commutes with interpolation, so the product is
  /// computed where the map is small, and its results are interpolated and added: a quarter of the products at half the size.
  public func convolution(
    _ maps: [FeatureMap], _ weight: Tensor, bias: Tensor? = nil, side: Int
  ) -> FeatureMap {
    let (places, first) = (side * side, maps[0])
    precondition(weight.columns == places * maps.reduce(0) { $0 + $1.channels }, "a kernel of another shape")
    if side == 1 && maps.count == 1 { return first.with(linear(first.tensor, weight, bias)) }
    var ends: [Int] = []
    for map in maps { ends.append((ends.last ?? 0) + map.channels) }
    let channels = zip(maps, ends).map { $1 - $0.channels..<$1 }
    let y = tensor(
      rows: first.raster.pixels, columns: weight.rows, from: maps.map(\.tensor) + [weight] + (bias.map { [$0] } ?? []))
    let turned = engine.byPlaces(weight, side: side, channels: channels[0])
    engine.measure(.convolution, flop: 2 * y.rows * turned.count, values: first.tensor.count + y.count + turned.count) {
      first.tensor.withOperand { x in
        withMatrices(turned, y) { turned, y in
          bias.withMatrix { bias in
            engine.convolve(
              x, turned, side: side, over: first.raster, bias: bias, into: y, precision: precision)
          }
        }
      }
    }
    for (map, channels) in zip(maps, channels).dropFirst() {
      let part = ResizedConvolution(map, to: first.raster, side: side, outputs: weight.rows, tape: self)
      part.add(weight, channels: channels, to: y)
    }
    if isRecording { for map in maps { map.tensor.letGo() } }
    record(y) { [self] dy in
      biasGradient(bias, dy: dy)
      if weight.tracksGradient, weight.gradient == nil { engine.zero(weight.gradientSink(engine).gradient) }
      for (map, channels) in zip(maps, channels).dropFirst() {
        let part = ResizedConvolution(map, to: first.raster, side: side, outputs: weight.rows, tape: self)
        part.backward(weight, channels: channels, from: dy)
      }
      let dy = rounded(dy)
      convolutionGradients(first, weight, channels: channels[0], side: side, dy: dy)
    }
    return first.with(y)
  }

  /// Of a map that is not resized.
  private func convolutionGradients(
    _ x: FeatureMap, _ weight: Tensor, channels: Range<Int>, side: Int, dy: Tensor
  ) {
    let (flop, raster) = (2 * dy.rows * weight.rows * side * side * channels.count, x.raster)
    if weight.tracksGradient {
      let sums = Tensor(rows: side * side * weight.rows, columns: channels.count, engine: engine)
      engine.zero(sums)
      engine.measure(.convolutionBackward, flop: flop, values: x.tensor.count + dy.wordsMoved + sums.count) {
        dy.withOperand { dy in
          x.tensor.withOperand { x in
            sums.withMatrix { sums in
              engine.addConvolutionWeights(dy, x, side: side, over: raster, to: sums, precision: precision)
            }
          }
        }
      }
      let (gradient, _) = weight.gradientSink(engine)
      engine.addPlacesByOutputs(sums, to: gradient, side: side, channels: channels)
    }
    guard x.tensor.tracksGradient else { return }
    let (dx, isFirst) = x.tensor.gradientSink(engine)
    let turned = engine.byPlaces(weight, side: side, channels: channels)
    engine.measure(.convolutionBackward, flop: flop, values: dx.count + dy.wordsMoved + turned.count) {
      dy.withOperand { dy in
        withMatrices(turned, dx) { turned, dx in
          engine.convolve(
            dy, turned, side: side, over: x.raster, isBackward: true, into: dx, adding: !isFirst, precision: precision)
        }
      }
    }
  }
}
