import Compute

extension Engine {
  /// A convolution's weight in PyTorch's order [O, C, side, side] as a matrix [O, places · C], for some of its input channels: the inputs
  /// of a place of the kernel one after the other.
  func byPlaces(_ weight: Tensor, side: Int, channels: Range<Int>) -> Tensor {
    let (places, count) = (side * side, channels.count)
    let turned = Tensor(rows: weight.rows, columns: places * count, engine: self)
    rows(over: weight, turned, cost: turned.columns) { weight, turned, range in
      for r in range {
        let (from, to) = (weight.row(r) + channels.lowerBound * places, turned.row(r))
        for place in 0..<places {
          for c in 0..<count { to[place * count + c] = from[c * places + place] }
        }
      }
    }
    return turned
  }

  /// The same as a matrix [places · O, C].
  func placesByOutputs(_ weight: Tensor, side: Int, channels: Range<Int>) -> Tensor {
    let (places, outputs) = (side * side, weight.rows)
    let turned = Tensor(rows: places * outputs, columns: channels.count, engine: self)
    rows(over: weight, turned, count: outputs, cost: turned.columns * places) { weight, turned, range in
      for o in range {
        let from = weight.row(o) + channels.lowerBound * places
        for place in 0..<places {
          let to = turned.row(place * outputs + o)
          for c in 0..<channels.count { to[c] = from[c * places + place] }
        }
      }
    }
    return turned
  }

  /// Adds a gradient [places · O, C] to that of the weight.
  func addPlacesByOutputs(_ sums: Tensor, to gradient: Tensor, side: Int, channels: Range<Int>) {
    let (places, outputs) = (side * side, gradient.rows)
    rows(over: sums, gradient, count: outputs, cost: channels.count * places) { sums, gradient, range in
      for o in range {
        let to = gradient.row(o) + channels.lowerBound * places
        for place in 0..<places {
          let from = sums.row(place * outputs + o)
          for c in 0..<channels.count { to[c * places + place] += from[c] }
        }
      }
    }
  }
}
