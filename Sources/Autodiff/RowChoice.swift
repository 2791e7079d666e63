/// Rows that are chosen of a matrix; nil stands for all of them, in their order.
extension [Int32]? {
  /// The row of the matrix that is the r-th of those chosen.
  @inline(__always)
  func row(_ r: Int) -> Int { if let self { Int(self[r]) } else { r } }

  /// The numbers of rows from the place-th on; nil where none are named.
  func withPointer(from place: Int, _ body: (UnsafePointer<Int32>?) -> Void) {
    if let self { self.withUnsafeBufferPointer { body($0.baseAddress.map { $0 + place }) } } else { body(nil) }
  }
}
