import CKernels
import Compute

/// What layers do with a tile of a product before it leaves the cache, into float32 or bfloat16.
extension Tile {
  /// y = tile + bias.
  func store(bias: Matrix?, into y: Operand) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    let shift = shift(bias)
    switch y {
    case .bfloat16(let y):
      pmae_biased_bf16(values.pointer, values.stride, shift, y.row(r) + c, y.stride, rows.count, columns.count)
    case .float32(let y):
      pmae_biased(values.pointer, values.stride, shift, y.row(r) + c, y.stride, rows.count, columns.count)
    }
  }

  /// y = x + scale (tile + bias), in the residual's rows of x and y.
  func add(bias: Matrix?, onto x: Matrix, _ residual: Residual, into y: Matrix) {
    let c = columns.lowerBound
    let shift = shift(bias)
    for r in rows {
      let to = residual.row(r)
      pmae_add_biased(
        x.row(to) + c, residual.scale, values.row(r - rows.lowerBound), shift, y.row(to) + c, columns.count)
    }
  }

  /// h = GELU(z), z = tile + bias; z is kept where it is wanted.
  func activate(bias: Matrix, into h: Operand, keeping z: Operand?) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    switch h {
    case .bfloat16(let h):
      let kept: UnsafeMutablePointer<UInt16>? = if case .bfloat16(let z)? = z { z.row(r) + c } else { nil }
      pmae_bias_gelu_bf16(
        values.pointer, values.stride, bias.pointer + c, kept, h.row(r) + c, h.stride, rows.count, columns.count)
    case .float32(let h):
      let kept: UnsafeMutablePointer<Float>? = if case .float32(let z)? = z { z.row(r) + c } else { nil }
      pmae_bias_gelu(
        values.pointer, values.stride, bias.pointer + c, kept, h.row(r) + c, h.stride, rows.count, columns.count)
    }
  }

  /// dz = tile · GELU'(z), then z = GELU(z). Both are of one type.
  func activateBackward(_ z: Operand, into dz: Operand) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    switch z {
    case .bfloat16(let z):
      guard case .bfloat16(let dz) = dz else { preconditionFailure("a gradient of another type") }
      pmae_gelu_backward_bf16(
        values.pointer, values.stride, z.row(r) + c, dz.row(r) + c, z.stride, rows.count, columns.count)
    case .float32(let z):
      guard case .float32(let dz) = dz else { preconditionFailure("a gradient of another type") }
      pmae_gelu_backward(
        values.pointer, values.stride, z.row(r) + c, dz.row(r) + c, z.stride, rows.count, columns.count)
    }
  }

  private func shift(_ bias: Matrix?) -> UnsafePointer<Float>? {
    if let bias { UnsafePointer(bias.pointer + columns.lowerBound) } else { nil }
  }
}
