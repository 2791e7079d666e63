import Autodiff
import Compute
import Foundation

/// Operations on maps of features, whose rows are pixels. Where `scale` is above 1 the maps are large enough for several tiles.
extension Operation {
  /// A map of references.
  struct ReferenceMap {
    let images: Int, height: Int, width: Int
    let values: Reference

    func at(_ n: Int, _ y: Int, _ x: Int, _ c: Int) -> Double {
      0..<height ~= y && 0..<width ~= x ? values[(n * height + y) * width + x, c] : 0
    }

    init(_ values: Reference, _ raster: Raster) {
      (images, height, width, self.values) = (raster.images, raster.height, raster.width, values)
    }

    init(
      images: Int, height: Int, width: Int, channels: Int, _ value: (_ n: Int, _ y: Int, _ x: Int, _ c: Int) -> Double
    ) {
      (self.images, self.height, self.width) = (images, height, width)
      values = Reference(images * height * width, channels) { row, c in
        value(row / (height * width), row / width % height, row % width, c)
      }
    }

    /// Bilinear, ends on ends.
    func resized(_ height: Int, _ width: Int) -> ReferenceMap {
      func between(_ place: Int, _ from: Int, _ to: Int) -> (Int, Int, Double) {
        let at = max((Double(place) + 0.5) * Double(from) / Double(to) - 0.5, 0)
        return (min(Int(at), from - 1), min(Int(at) + 1, from - 1), at - Double(min(Int(at), from - 1)))
      }
      return ReferenceMap(images: images, height: height, width: width, channels: values.columns) { n, y, x, c in
        let (y0, y1, b) = between(y, self.height, height), (x0, x1, a) = between(x, self.width, width)
        return (1 - b) * ((1 - a) * at(n, y0, x0, c) + a * at(n, y0, x1, c))
          + b * ((1 - a) * at(n, y1, x0, c) + a * at(n, y1, x1, c))
      }
    }

    /// By a kernel [O, Σ C, side²] over maps of one size, one behind the other.
    static func convolved(_ maps: [ReferenceMap], _ weight: Reference, _ bias: Reference?, side: Int) -> ReferenceMap {
      let places = side * side
      return ReferenceMap(
        images: maps[0].images, height: maps[0].height, width: maps[0].width, channels: weight.rows
      ) { n, y, x, o in
        var sum = bias?[0, o] ?? 0
        var first = 0
        for map in maps {
          for c in 0..<map.values.columns {
            for p in 0..<places {
              sum +=
                weight[o, (first + c) * places + p] * map.at(n, y + p / side - side / 2, x + p % side - side / 2, c)
            }
          }
          first += map.values.columns
        }
        return sum
      }
    }
  }

  static func maps(_ scale: Int) -> [Operation] {
    convolutions(scale) + resizing(scale) + pools(scale) + mapNorms(scale) + pixelLosses(scale)
  }

  static func convolutions(_ scale: Int) -> [Operation] {
    let many = scale > 1
    let cases: [(Raster, side: Int, inputs: Int, outputs: Int)] =
      many
      ? [(Raster(images: 2, height: 33, width: 40), 3, 33, 35), (Raster(images: 1, height: 3, width: 400), 3, 5, 97)]
      : [
        (Raster(images: 2, height: 3, width: 4), 3, 5, 3), (Raster(images: 2, height: 1, width: 1), 3, 2, 3),
        (Raster(images: 1, height: 4, width: 5), 5, 2, 3), (Raster(images: 2, height: 3, width: 2), 1, 5, 3),
      ]
    let plain = cases.map { raster, side, inputs, outputs in
      Operation(
        name: "convolution of \(raster.height) × \(raster.width), side \(side)",
        shapes: [(raster.pixels, inputs), (outputs, inputs * side * side), (1, outputs)],
        compute: { .tensor($0.convolution([FeatureMap($1[0], raster)], $1[1], bias: $1[2], side: side).tensor) },
        reference: { ReferenceMap.convolved([.init($0[0], raster)], $0[1], $0[2], side: side).values })
    }
    let (large, small, tiny) =
      many
      ? (
        Raster(images: 2, height: 33, width: 40), Raster(images: 2, height: 17, width: 20),
        Raster(images: 2, height: 5, width: 3)
      )
      : (
        Raster(images: 2, height: 5, width: 4), Raster(images: 2, height: 3, width: 2),
        Raster(images: 2, height: 1, width: 1)
      )
    let several = [[], [0], [3]].map { constants in
      Operation(
        name: "convolution of resized maps, constants \(constants)",
        shapes: [(large.pixels, 2), (small.pixels, 3), (tiny.pixels, 1), (5, 6 * 9)], constants: Set(constants),
        compute: { tape, x in
          let maps = zip(x, [large, small, tiny]).map { FeatureMap($0, $1) }
          return .tensor(tape.convolution(maps, x[3], side: 3).tensor)
        },
        reference: { x in
          let maps = zip(x, [large, small, tiny]).map { ReferenceMap($0, $1).resized(large.height, large.width) }
          return ReferenceMap.convolved(maps, x[3], nil, side: 3).values
        })
    }
    let transposed = Operation(
      name: "transposedConvolution", shapes: [(small.pixels, 5), (5, 3 * 4), (1, 3)],
      compute: { .tensor($0.transposedConvolution(FeatureMap($1[0], small), $1[1], bias: $1[2]).tensor) },
      reference: { x in
        let map = ReferenceMap(x[0], small)
        return ReferenceMap(images: 2, height: 2 * small.height, width: 2 * small.width, channels: 3) { n, y, x_, o in
          (0..<5).reduce(x[2][0, o]) {
            $0 + x[1][$1, 4 * o + y % 2 * 2 + x_ % 2] * map.at(n, y / 2, x_ / 2, $1)
          }
        }.values
      })
    return plain + several + [transposed]
  }

  static func resizing(_ scale: Int) -> [Operation] {
    let cases: [(from: (Int, Int), to: (Int, Int))] =
      scale > 1 ? [((33, 20), (64, 50))] : [((3, 4), (7, 9)), ((5, 4), (2, 3)), ((3, 2), (3, 2)), ((1, 1), (3, 2))]
    return cases.flatMap { from, to in
      let (small, large) = (
        Raster(images: 2, height: from.0, width: from.1), Raster(images: 2, height: to.0, width: to.1)
      )
      return [
        Operation(
          name: "resized from \(from) to \(to)", shapes: [(small.pixels, 3)],
          compute: { .tensor($0.resized(FeatureMap($1[0], small), height: to.0, width: to.1).tensor) },
          reference: { ReferenceMap($0[0], small).resized(to.0, to.1).values }),
        Operation(
          name: "resized from \(from) to \(to), onto a map", shapes: [(small.pixels, 3), (large.pixels, 3)],
          compute: {
            .tensor(
              $0.resized(FeatureMap($1[0], small), height: to.0, width: to.1, onto: FeatureMap($1[1], large)).tensor)
          },
          reference: { x in
            let resized = ReferenceMap(x[0], small).resized(to.0, to.1).values
            return Reference(large.pixels, 3) { resized[$0, $1] + x[1][$0, $1] }
          }),
      ]
    }
  }

  static func pools(_ scale: Int) -> [Operation] {
    let raster = scale > 1 ? Raster(images: 2, height: 33, width: 40) : Raster(images: 2, height: 3, width: 5)
    let averages = [1, 2, 4].map { size in
      Operation(
        name: "averagePooled to \(size)", shapes: [(raster.pixels, 3)],
        compute: { .tensor($0.averagePooled(FeatureMap($1[0], raster), to: size).tensor) },
        reference: { x in
          let map = ReferenceMap(x[0], raster)
          func edge(_ i: Int, _ n: Int) -> Range<Int> {
            Int(floor(Double(i * n) / Double(size)))..<Int(ceil(Double((i + 1) * n) / Double(size)))
          }
          return ReferenceMap(images: 2, height: size, width: size, channels: 3) { n, y, x, c in
            let (rows, columns) = (edge(y, raster.height), edge(x, raster.width))
            let values = rows.flatMap { i in columns.map { map.at(n, i, $0, c) } }
            return values.reduce(0, +) / Double(values.count)
          }.values
        })
    }
    let greatest = Operation(
      name: "maxPooled", shapes: [(raster.pixels, 3)],
      compute: { .tensor($0.maxPooled(FeatureMap($1[0], raster)).tensor) },
      reference: { x in
        let map = ReferenceMap(x[0], raster)
        return ReferenceMap(images: 2, height: raster.height / 2, width: raster.width / 2, channels: 3) { n, y, x, c in
          [(0, 0), (0, 1), (1, 0), (1, 1)].map { map.at(n, 2 * y + $0.0, 2 * x + $0.1, c) }.max()!
        }.values
      })
    let keep: [UInt8] = [1, 0, 1, 1, 1, 0]
    let dropout = Operation(
      name: "keepingChannels", shapes: [(raster.pixels, 3)],
      compute: { .tensor($0.keepingChannels(FeatureMap($1[0], raster), keep, scale: 1.25).tensor) },
      reference: { x in
        Reference(raster.pixels, 3) {
          x[0][$0, $1] * 1.25 * Double(keep[$0 / (raster.height * raster.width) * 3 + $1])
        }
      })
    return averages + [greatest, dropout]
  }

  static func mapNorms(_ scale: Int) -> [Operation] {
    let raster = scale > 1 ? Raster(images: 2, height: 33, width: 40) : Raster(images: 2, height: 3, width: 5)
    let kinds: [(Activation, @Sendable (Double) -> Double)] = [
      (.none, { $0 }), (.rectified, { max(0, $0) }), (.gelu, { gelu($0) }),
    ]
    return kinds.flatMap { activation, function in
      [
        Operation(
          name: "batchNorm of a map, \(activation)", shapes: [(raster.pixels, 7), (1, 7), (1, 7)],
          compute: {
            .tensor($0.batchNorm(FeatureMap($1[0], raster), $1[1], $1[2], activation: activation).y.tensor)
          },
          reference: { x in
            let y = batchNorm(x[0], x[1], x[2], rectified: false)
            return Reference(y.rows, y.columns, y.values.map(function))
          }),
        Operation(
          name: "batchNorm of a map by known statistics, \(activation)", shapes: [(raster.pixels, 7), (1, 7), (1, 7)],
          compute: { tape, x in
            let known = tensor(tape.engine, 2, 7, (0..<14).map { $0 < 7 ? 0.25 * Float($0) : 0.5 + 0.125 * Float($0) })
            return .tensor(
              tape.batchNorm(FeatureMap(x[0], raster), x[1], x[2], activation: activation, known: known).y.tensor)
          },
          reference: { x in
            Reference(raster.pixels, 7) { r, c in
              let (mean, variance) = (0.25 * Double(c), 0.5 + 0.125 * Double(7 + c))
              return function((x[0][r, c] - mean) / (variance + 1e-5).squareRoot() * x[1][0, c] + x[2][0, c])
            }
          }),
      ]
    }
  }

  static func pixelLosses(_ scale: Int) -> [Operation] {
    let small = scale > 1 ? Raster(images: 2, height: 17, width: 20) : Raster(images: 2, height: 3, width: 2)
    let sizes = scale > 1 ? [(64, 50)] : [(3, 2), (5, 7), (2, 1)]
    return sizes.flatMap { height, width in
      PixelAverage.allCases.map { average in
        let labels: [UInt8] = (0..<2 * height * width).map { place in
          let label = place * 7 % 11 % 4
          return place % 5 == 3 ? 255 : UInt8(label)
        }
        return Operation(
          name: "pixelCrossEntropy at \(height) × \(width) over \(average) pixels", shapes: [(small.pixels, 4)],
          compute: {
            .loss(
              $0.pixelCrossEntropy(
                FeatureMap($1[0], small), labels: labels, height: height, width: width, average: average
              ).loss)
          },
          reference: { x in
            let logits = ReferenceMap(x[0], small).resized(height, width).values
            var sum = 0.0
            for (r, label) in labels.enumerated() where label != 255 {
              sum += log((0..<4).reduce(0) { $0 + exp(logits[r, $1]) }) - logits[r, Int(label)]
            }
            let count = average == .all ? labels.count : labels.count { $0 != 255 }
            return Reference(1, 1, [sum / Double(count)])
          })
      }
    }
  }
}
