import COpenBLAS

extension Engine {
  /// Σ (x − mean)ᵀ (x − mean) over rows, in double precision: [D, D], symmetric. The same bits for any number of threads.
  /// - Parameters:
  ///   - values: [n, D], row by row.
  ///   - mean: [D].
  public func scatter(of values: UnsafeBufferPointer<Float>, less mean: [Double]) -> [Double] {
    let width = mean.count
    precondition(width > 0 && values.count % width == 0)
    let rows = values.count / width
    var sums = [Double](repeating: 0, count: width * width)
    // A task sums some rows of the result from its diagonal on, over blocks of rows of the values.
    let (strip, block) = (128, 512)
    mean.withUnsafeBufferPointer { mean in
      sums.withUnsafeMutableBufferPointer { sums in
        nonisolated(unsafe) let (values, mean, sums) = (values, mean, sums)
        threads.run((width + strip - 1) / strip) { task in
          let first = task * strip
          let (height, rest) = (min(strip, width - first), width - first)
          var centred = [Double](repeating: 0, count: block * rest)
          for start in stride(from: 0, to: rows, by: block) {
            let count = min(block, rows - start)
            for r in 0..<count {
              let row = (start + r) * width + first
              for c in 0..<rest { centred[r * rest + c] = Double(values[row + c]) - mean[first + c] }
            }
            cblas_dgemm(
              CblasRowMajor, CblasTrans, CblasNoTrans, blasint(height), blasint(rest), blasint(count), 1, centred,
              blasint(rest), centred, blasint(rest), 1, sums.baseAddress! + first * width + first, blasint(width))
          }
        }
      }
    }
    for i in 0..<width { for j in 0..<i { sums[i * width + j] = sums[j * width + i] } }
    return sums
  }
}
