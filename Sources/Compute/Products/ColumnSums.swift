import CKernels

extension Engine {
  /// sums[c] = Σ over rows, or += where `adding`, in a fixed order: of blocks of rows first, each summed by one thread, then over
  /// the blocks.
  /// - Parameters:
  ///   - columns: how many sums.
  ///   - sums: [1, columns].
  ///   - block: sums some rows into `columns` values, over what is there.
  public func columnSums(
    rows: Int, columns: Int, into sums: Matrix, adding: Bool,
    block: (_ rows: Range<Int>, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) {
    precondition(sums.columns == columns)
    let height = 128
    let blocks = (rows + height - 1) / height
    let partial = memory.take(max(1, blocks * columns))
    threads.run(blocks) { index in
      block(index * height..<min(rows, (index + 1) * height), partial.pointer + index * columns)
    }
    let width = 512
    threads.run((columns + width - 1) / width) { index in
      let first = index * width
      pmae_column_sums(
        partial.pointer + first, sums.pointer + first, blocks, min(width, columns - first), columns, adding ? 1 : 0)
    }
  }
}
