import CKernels
import Compute

extension Tape {
  /// Rows of x by their numbers, each as often as it is named: x [R, D] -> [indices.count, D], in bfloat16 where x is. The gradient of a
  /// row is the sum of those of its copies, in their order.
  public func gatherRows(_ x: Tensor, _ indices: [Int32]) -> Tensor {
    let width = x.columns
    if x.isBFloat16 { return gatherBFloat16Rows(x, indices) }
    let y = tensor(rows: indices.count, columns: width, from: x)
    engine.rows(over: y, x, cost: width, as: .tokens, values: 2 * y.count) { y, x, rows in
      for r in rows { y.row(r).update(from: x.row(Int(indices[r])), count: width) }
    }
    record(y) { [engine] dy in engine.addCopies(dy, toGradientOf: x, indices) }
    return y
  }

  private func gatherBFloat16Rows(_ x: Tensor, _ indices: [Int32]) -> Tensor {
    let width = x.columns
    let y = Tensor(bfloat16Rows: indices.count, columns: width, engine: engine, tracksGradient: tracks([x]))
    withBFloat16(x, y) { x, y in
      engine.rows(indices.count, cost: width, as: .tokens, values: y.rows * width) { rows in
        for r in rows { y.row(r).update(from: x.row(Int(indices[r])), count: width) }
      }
    }
    record(y) { [engine] dy in
      let copies = RowCopies(of: indices, rows: x.rows)
      let (dx, _) = x.gradientSink(engine)
      let rowsOfTask = max(1, 4096 / width)
      engine.measure(.tokens, values: dx.wordsMoved + dy.wordsMoved) {
        withBFloat16(dy, dx) { dy, dx in
          engine.run((dx.rows + rowsOfTask - 1) / rowsOfTask, scratch: 2 * width) { task, scratch in
            let (sum, term) = (scratch, scratch + width)
            for r in task * rowsOfTask..<min((task + 1) * rowsOfTask, dx.rows) {
              // Rounded once, whatever the copies.
              sum.update(repeating: 0, count: width)
              for place in copies[r] {
                pmae_from_bfloat16(dy.row(copies.places[place]), term, width)
                pmae_axpy(1, term, sum, width)
              }
              pmae_to_bfloat16(sum, dx.row(r), width)
            }
          }
        }
      }
    }
    return y
  }
}

extension Engine {
  /// Adds to each row's gradient those of its copies, in their order: dy [indices.count, D], of rows of x by their numbers.
  func addCopies(_ dy: Tensor, toGradientOf x: Tensor, _ indices: [Int32]) {
    let width = x.columns
    let copies = RowCopies(of: indices, rows: x.rows)
    let (dx, isFirst) = x.gradientSink(self)
    rows(over: dx, dy, cost: width + dy.count / x.rows, as: .tokens, values: dx.count + 2 * dy.count) { dx, dy, rows in
      for r in rows {
        if isFirst { dx.row(r).update(repeating: 0, count: width) }
        for place in copies[r] { pmae_axpy(1, dy.row(copies.places[place]), dx.row(r), width) }
      }
    }
  }
}

/// Where each row of a matrix was copied to.
private struct RowCopies {
  /// Rows of the copy: those of row 0 in ascending order, then those of row 1, and so on.
  let places: [Int]
  /// [R + 1]; a row's places are from its own start to the next one's.
  private let starts: [Int]

  init(of indices: [Int32], rows: Int) {
    var starts = [Int](repeating: 0, count: rows + 1)
    for index in indices { starts[Int(index) + 1] += 1 }
    for r in 0..<rows { starts[r + 1] += starts[r] }
    var (next, places) = (starts, [Int](repeating: 0, count: indices.count))
    for (place, index) in indices.enumerated() {
      places[next[Int(index)]] = place
      next[Int(index)] += 1
    }
    (self.starts, self.places) = (starts, places)
  }

  /// The numbers in `places` of a row's own.
  subscript(row: Int) -> Range<Int> { starts[row]..<starts[row + 1] }
}
