import CKernels
import COpenBLAS
import Foundation

/// How one thread multiplies matrices. On processors with AVX2 or AVX-512 it uses panels of our own. Elsewhere it uses
/// OpenBLAS, which has kernels for every processor. The gain comes from the panels: a weight is packed once for all
/// threads and tiles, and the other factor is not packed at all. OpenBLAS packs both again in each call, which is a
/// tenth of the time at a transformer's sizes.
struct Multiplier: Sendable {
  /// nil: OpenBLAS.
  let panels: Panels?
  /// Those of pairs of bfloat16; nil: oneDNN.
  let pairs: Panels?

  struct Panels: @unchecked Sendable {
    // A constant of the C library, never changed.
    let kernels: UnsafePointer<pmae_multiplier>
    /// Columns of a panel.
    var width: Int { kernels.pointee.panel }
    var name: String { String(cString: kernels.pointee.name) }

    static var all: [Panels] {
      (0...).lazy.map { pmae_multipliers($0) }.prefix { $0 != nil }.map { Panels(kernels: $0!) }
    }

    /// Values of a factor that is packed.
    func size(inner: Int, columns: Int) -> Int { (columns + width - 1) / width * width * inner }

    /// Packs op(b), `columns` columns of `inner` values from column `first` on, a multiple of the panel's width.
    func pack(
      _ b: Matrix, transposing: Transposition, inner: Int, columns: Range<Int>, into packed: UnsafeMutablePointer<Float>
    ) {
      let (step, column) = transposing == .right ? (1, b.stride) : (b.stride, 1)
      kernels.pointee.pack(columns.count, inner, b.pointer + columns.lowerBound * column, step, column, packed)
    }

    /// c (+)= op(a) b.
    func multiply(
      _ a: Matrix, transposing: Transposition, inner: Int, _ packed: UnsafePointer<Float>, into c: Matrix, adding: Bool
    ) {
      let (row, step) = transposing == .left ? (1, a.stride) : (a.stride, 1)
      kernels.pointee.multiply(
        c.rows, c.columns, inner, a.pointer, row, step, packed, c.pointer, c.stride, adding ? 1 : 0)
    }
  }

  /// - Parameter kernels: `avx512`, `avx2` or `openblas`; nil for the best here. What the machine cannot run is passed over.
  init(kernels: String?) {
    let all = Panels.all
    panels = kernels == "openblas" ? nil : all.first { kernels == nil || $0.name == kernels } ?? all.first
    pairs = panels?.name == "avx512" ? pmae_pair_multiplier().map { Panels(kernels: $0) } : nil
  }

  var name: String { panels?.name ?? "openblas" }

  /// Scratch values that `multiply` needs.
  func scratch(inner: Int, columns: Int) -> Int { panels?.size(inner: inner, columns: columns) ?? 0 }

  /// c = op(a) op(b), or c += where `adding`, on the calling thread.
  func multiply(
    _ a: Matrix, _ b: Matrix, into c: Matrix, transposing: Transposition, adding: Bool,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let inner = transposing == .left ? a.rows : a.columns
    if c.rows == 0 || c.columns == 0 { return }
    if let panels {
      panels.pack(b, transposing: transposing, inner: inner, columns: 0..<c.columns, into: scratch)
      panels.multiply(a, transposing: transposing, inner: inner, scratch, into: c, adding: adding)
    } else {
      cblas_sgemm(
        CblasRowMajor, transposing == .left ? CblasTrans : CblasNoTrans,
        transposing == .right ? CblasTrans : CblasNoTrans, blasint(c.rows), blasint(c.columns), blasint(inner), 1,
        a.pointer, blasint(a.stride), b.pointer, blasint(b.stride), adding ? 1 : 0, c.pointer, blasint(c.stride))
    }
  }
}
