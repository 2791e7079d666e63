/// A residual connection: what a layer's output is added onto.
public struct Residual {
  let x: Tensor
  /// Where given, row r of the output belongs to row rowsOf[r] of x, and rows of x that are not named pass unchanged (drop path:
  /// a dropped sample's branch is never computed).
  let rowsOf: [Int32]?
  /// What the output is multiplied by (drop path: 1 / keep).
  let scale: Float

  /// The row of x that row r of the output belongs to.
  @inline(__always)
  func row(_ r: Int) -> Int { rowsOf.row(r) }

  public init(_ x: Tensor, rowsOf: [Int32]? = nil, scale: Float = 1) {
    self.x = x
    self.rowsOf = rowsOf
    self.scale = scale
  }
}
