import Autodiff
import CKernels
import Compute

// What metrics say of tensors. Sums are of rows, then over the rows in order, so no thread changes a bit.
extension Engine {
  /// A number for each row.
  func rowValues(_ x: Tensor, _ body: (UnsafePointer<Float>) -> Double) -> [Double] {
    [Double](unsafeUninitializedCapacity: x.rows) { buffer, count in
      let out = buffer
      rows(over: x, cost: x.columns, as: .losses, values: x.count) { x, range in
        for r in range { out[r] = body(x.row(r)) }
      }
      count = x.rows
    }
  }

  /// The standard deviation of all values of a tensor; 0 of none.
  func spread(_ x: Tensor) -> Double {
    if x.count == 0 { return 0 }
    let ones = [Float](repeating: 1, count: x.columns)
    let mean = rowValues(x) { pmae_dot($0, ones, x.columns) }.reduce(0, +) / Double(x.count)
    let square = rowValues(x) { pmae_dot($0, $0, x.columns) }.reduce(0, +) / Double(x.count)
    return max(0, square - mean * mean).squareRoot()
  }

  /// The share of the rows whose greatest value is that of their class; 0 of no rows.
  func accuracy(_ logits: Tensor, classes: [Int32]) -> Double {
    if logits.rows == 0 { return 0 }
    let greatest = rowValues(logits) { Double(pmae_argmax($0, logits.columns)) }
    return Double(zip(greatest, classes).count { $0 == Double($1) }) / Double(logits.rows)
  }
}

/// The number of different classes, as a share of those that could be: all of them, or as many as there are rows.
func shareInUse(_ classes: [Int32], of all: Int) -> Double {
  Double(Set(classes).count) / Double(max(1, min(all, classes.count)))
}

extension Engine {
  /// Of rows of unit length, the mean squared distance to their mean: 0 where all are the same, near 1 where they are spread.
  func unitVariance(_ x: Tensor) -> Double {
    let mean = Tensor(rows: 1, columns: x.columns, values: memory.take(x.columns))
    withMatrices(x, mean) { x, mean in
      columnSums(rows: x.rows, columns: x.columns, into: mean, adding: false) { rows, sums in
        pmae_column_sums(x.row(rows.lowerBound), sums, rows.count, x.columns, x.stride, 0)
      }
    }
    return 1 - mean.withMatrix { pmae_dot($0.pointer, $0.pointer, $0.columns) } / Double(x.rows * x.rows)
  }
}
