import CKernels
import Compute

extension Tape {
  /// A transposed convolution by a 2 × 2 kernel with stride 2: every pixel becomes four. x [N·h·w, I], weight [I, O, 2, 2], bias [O]
  /// -> [N·2h·2w, O]. It is a linear layer to four times as many values, which then change places.
  public func transposedConvolution(_ x: FeatureMap, _ weight: Tensor, bias: Tensor? = nil) -> FeatureMap {
    let (inputs, outputs) = (weight.rows, weight.columns / 4)
    precondition(x.channels == inputs, "a kernel of another shape")
    let to = Raster(images: x.images, height: 2 * x.height, width: 2 * x.width)
    let y = tensor(rows: to.pixels, columns: outputs, from: [x.tensor, weight] + (bias.map { [$0] } ?? []))
    let turned = turnedOver(weight)
    let from = x.raster
    bias.withMatrix { bias in
      y.withMatrix { y in
        x.tensor.withOperand { input in
          turned.withMatrix { turned in
            engine.measure(
              .convolution, flop: 2 * from.pixels * turned.rows * inputs, values: x.tensor.count + y.rows * outputs
            ) {
              engine.multiply(input, .float32(turned), transposing: .right, precision: precision) { tile in
                tile.spread(over: from, outputs: outputs, bias: bias, into: y)
              }
            }
          }
        }
      }
    }
    if isRecording { x.tensor.letGo() }
    record(y) { [self] dy in
      biasGradient(bias, dy: dy)
      let gathered = fourTogether(dy, from)
      let turned = turnedOver(weight)
      if weight.tracksGradient {
        let sums = Tensor(rows: turned.rows, columns: inputs, engine: engine)
        engine.measure(.convolutionBackward, flop: 2 * from.pixels * turned.count, values: gathered.wordsMoved) {
          gathered.withOperand { dy in
            x.tensor.withOperand { x in
              sums.withMatrix { sums in
                engine.multiply(dy, x, into: sums, transposing: .left, precision: precision)
              }
            }
          }
        }
        let (dw, isFirst) = weight.gradientSink(engine)
        engine.rows(over: sums, dw, count: inputs, cost: 4 * outputs) { sums, dw, range in
          for i in range {
            let to = dw.row(i)
            for o in 0..<outputs {
              for part in 0..<4 {
                let value = sums.row(part * outputs + o)[i]
                to[4 * o + part] = isFirst ? value : to[4 * o + part] + value
              }
            }
          }
        }
      }
      guard x.tensor.tracksGradient else { return }
      let (dx, isFirst) = x.tensor.gradientSink(engine)
      engine.measure(.convolutionBackward, flop: 2 * from.pixels * turned.count, values: gathered.wordsMoved) {
        gathered.withOperand { dy in
          withMatrices(turned, dx) { turned, dx in
            engine.multiply(dy, .float32(turned), into: dx, adding: !isFirst, precision: precision)
          }
        }
      }
    }
    return FeatureMap(y, to)
  }

  /// weight [I, O, 2, 2] as [4 · O, I], the outputs of a place of the kernel one after the other.
  private func turnedOver(_ weight: Tensor) -> Tensor {
    let outputs = weight.columns / 4
    let turned = Tensor(rows: weight.columns, columns: weight.rows, engine: engine)
    engine.rows(over: turned, weight, cost: weight.rows) { turned, weight, range in
      for r in range {
        let (part, o) = r.quotientAndRemainder(dividingBy: outputs)
        let to = turned.row(r)
        for i in 0..<weight.rows { to[i] = weight.row(i)[4 * o + part] }
      }
    }
    return turned
  }

  /// The gradients of a pixel's four, one behind the other: [N·2h·2w, O] -> [N·h·w, 4 · O], rounded where products are.
  private func fourTogether(_ dy: Tensor, _ from: Raster) -> Tensor {
    let outputs = dy.columns
    let to = Raster(images: from.images, height: 2 * from.height, width: 2 * from.width)
    let isRounded = precision == .bfloat16
    let four =
      isRounded
      ? Tensor(bfloat16Rows: from.pixels, columns: 4 * outputs, engine: engine)
      : Tensor(rows: from.pixels, columns: 4 * outputs, engine: engine)
    engine.measure(.maps, values: dy.count + four.wordsMoved) {
      four.withOperand { four in
        engine.rows(over: dy, count: from.pixels, cost: 4 * outputs) { dy, range in
          for pixel in range {
            for part in 0..<4 {
              let source = dy.row(to.four(of: pixel, in: from, part))
              switch four {
              case .float32(let four): (four.row(pixel) + part * outputs).update(from: source, count: outputs)
              case .bfloat16(let four): pmae_to_bfloat16(source, four.row(pixel) + part * outputs, outputs)
              }
            }
          }
        }
      }
    }
    return four
  }
}

extension Raster {
  /// The row, here, of one of the four pixels that a pixel of a raster half as large becomes.
  @inline(__always)
  fileprivate func four(of pixel: Int, in small: Raster, _ part: Int) -> Int {
    let (line, x) = pixel.quotientAndRemainder(dividingBy: small.width)
    let (image, y) = line.quotientAndRemainder(dividingBy: small.height)
    return row(image, 2 * y + part / 2, 2 * x + part % 2)
  }
}

extension Tile {
  /// The values of four pixels, a part of them each, to where they belong, with their bias.
  fileprivate func spread(over small: Raster, outputs: Int, bias: Matrix?, into y: Matrix) {
    let large = Raster(images: small.images, height: 2 * small.height, width: 2 * small.width)
    for r in rows {
      var column = columns.lowerBound
      while column < columns.upperBound {
        let (part, first) = column.quotientAndRemainder(dividingBy: outputs)
        let count = min(outputs - first, columns.upperBound - column)
        let from = values.row(r - rows.lowerBound) + column - columns.lowerBound
        let to = y.row(large.four(of: r, in: small, part)) + first
        if let bias {
          pmae_add_scaled(from, 1, bias.pointer + first, to, count)
        } else {
          to.update(from: from, count: count)
        }
        column += count
      }
    }
  }
}
