import COpenBLAS

extension Engine {
  /// The products of rows with each other, less the mean, in double precision: [n, n], symmetric. It is what `scatter` is to
  /// columns, for rows that are fewer than columns. The same bits for any number of threads.
  /// - Parameters:
  ///   - rows: n rows of `values`, which is [N, D].
  ///   - mean: [D].
  public func gram(of values: UnsafeBufferPointer<Float>, rows: [Int], less mean: [Double]) -> [Double] {
    let (count, width) = (rows.count, mean.count)
    precondition(width > 0 && values.count % width == 0)
    var products = [Double](repeating: 0, count: count * count)
    let (strip, block) = (128, 512)
    var centred = [Double](repeating: 0, count: count * block)
    for start in stride(from: 0, to: width, by: block) {
      let columns = min(block, width - start)
      centre(values, rows: rows, mean: mean, columns: start..<start + columns, into: &centred)
      centred.withUnsafeBufferPointer { centred in
        products.withUnsafeMutableBufferPointer { products in
          nonisolated(unsafe) let (centred, products) = (centred.baseAddress!, products.baseAddress!)
          threads.run((count + strip - 1) / strip) { task in
            let first = task * strip
            let height = min(strip, count - first)
            cblas_dgemm(
              CblasRowMajor, CblasNoTrans, CblasTrans, blasint(height), blasint(count - first), blasint(columns), 1,
              centred + first * columns, blasint(columns), centred + first * columns, blasint(columns), 1,
              products + first * count + first, blasint(count))
          }
        }
      }
    }
    for i in 0..<count { for j in 0..<i { products[i * count + j] = products[j * count + i] } }
    return products
  }

  /// Sums of rows, less the mean, in double precision: [k, D]. The same bits for any number of threads.
  /// - Parameters:
  ///   - rows: n rows of `values`, which is [N, D].
  ///   - mean: [D].
  ///   - weights: [k, n], what each row is multiplied by.
  public func sums(
    of values: UnsafeBufferPointer<Float>, rows: [Int], less mean: [Double], weights: [[Double]]
  ) -> [[Double]] {
    let (count, width, block) = (rows.count, mean.count, 512)
    let flat = weights.flatMap(\.self)
    precondition(flat.count == weights.count * count)
    var result = [[Double]](repeating: [], count: weights.count)
    var centred = [Double](repeating: 0, count: count * block)
    var part = [Double](repeating: 0, count: weights.count * block)
    for start in stride(from: 0, to: width, by: block) {
      let columns = min(block, width - start)
      centre(values, rows: rows, mean: mean, columns: start..<start + columns, into: &centred)
      cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(weights.count), blasint(columns), blasint(count), 1, flat,
        blasint(count), centred, blasint(columns), 0, &part, blasint(columns))
      for k in weights.indices { result[k] += part[k * columns..<(k + 1) * columns] }
    }
    return result
  }

  /// Some columns of some rows less their mean: [n, columns].
  private func centre(
    _ values: UnsafeBufferPointer<Float>, rows: [Int], mean: [Double], columns: Range<Int>, into centred: inout [Double]
  ) {
    let width = mean.count
    mean.withUnsafeBufferPointer { mean in
      centred.withUnsafeMutableBufferPointer { centred in
        nonisolated(unsafe) let (values, mean, centred) = (values, mean, centred)
        threads.run(rows.count) { r in
          let row = rows[r] * width
          for (c, column) in columns.enumerated() {
            centred[r * columns.count + c] = Double(values[row + column]) - mean[column]
          }
        }
      }
    }
  }
}
