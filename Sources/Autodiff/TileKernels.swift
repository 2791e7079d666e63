import CKernels
import Compute

/// What layers do with a tile of a product before it leaves the cache, into float32 or bfloat16.
extension Tile {
  /// y = tile + bias.
  func store(bias: Tensor?, into y: Tensor) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    let shift = bias.map { UnsafePointer($0.pointer + c) }
    if y.isNarrow {
      pmae_biased_narrow(
        values.pointer, values.stride, shift, y.narrow.row(r) + c, y.stride, rows.count, columns.count)
    } else {
      pmae_biased(values.pointer, values.stride, shift, y.row(r) + c, y.stride, rows.count, columns.count)
    }
  }

  /// y = residual + scale (tile + bias).
  func add(bias: Tensor?, onto residual: Residual, into y: Tensor) {
    let c = columns.lowerBound
    let shift = bias.map { UnsafePointer($0.pointer + c) }
    let (x, y) = (residual.x.matrix, y.matrix)
    for r in rows {
      let to = residual.row(r)
      pmae_add_biased(
        x.row(to) + c, residual.scale, values.row(r - rows.lowerBound), shift, y.row(to) + c, columns.count)
    }
  }

  /// h = GELU(z), z = tile + bias; z is kept where it is wanted.
  func activate(bias: Tensor, into h: Tensor, keeping z: Tensor?) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    if h.isNarrow {
      pmae_bias_gelu_narrow(
        values.pointer, values.stride, bias.pointer + c, z.map { $0.narrow.row(r) + c }, h.narrow.row(r) + c, h.stride,
        rows.count, columns.count)
    } else {
      pmae_bias_gelu(
        values.pointer, values.stride, bias.pointer + c, z.map { $0.row(r) + c }, h.row(r) + c, h.stride, rows.count,
        columns.count)
    }
  }

  /// dz = tile · GELU'(z), then z = GELU(z).
  func deactivate(_ z: Tensor, into dz: Tensor) {
    let (r, c) = (rows.lowerBound, columns.lowerBound)
    if z.isNarrow {
      pmae_gelu_return_narrow(
        values.pointer, values.stride, z.narrow.row(r) + c, dz.narrow.row(r) + c, z.stride, rows.count, columns.count)
    } else {
      pmae_gelu_return(
        values.pointer, values.stride, z.row(r) + c, dz.row(r) + c, z.stride, rows.count, columns.count)
    }
  }
}
