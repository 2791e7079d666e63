import COpenBLAS

/// A symmetric positive definite matrix A as L Lᵀ, by LAPACK's dpotrf, and what solves A x = b by it. On the calling thread, so that
/// the bits are the same for any number of threads.
public struct Cholesky: Sendable {
  private let n: Int
  /// The factor in the lower triangle as Fortran sees it.
  private var factor: [Double]

  /// - Parameter matrix: [n, n], symmetric.
  /// - Returns: nil where the matrix is not positive definite.
  public init?(_ matrix: [Double], n: Int) {
    precondition(matrix.count == n * n)
    self.n = n
    factor = matrix
    var (triangle, size, leading, info) = (CChar(UInt8(ascii: "L")), Int32(n), Int32(max(n, 1)), Int32(0))
    dpotrf_(&triangle, &size, &factor, &leading, &info)
    if info != 0 { return nil }
  }

  /// Solves A X = B in place.
  /// - Parameter b: `count` right sides of n values, one after the other.
  public func solve(_ b: inout [Double], count: Int) {
    precondition(b.count >= n * count)
    if n == 0 || count == 0 { return }
    var (triangle, size, columns) = (CChar(UInt8(ascii: "L")), Int32(n), Int32(count))
    var (leading, leadingOfB, info) = (Int32(n), Int32(n), Int32(0))
    factor.withUnsafeBufferPointer { factor in
      // LAPACK only reads the factor.
      let factor = UnsafeMutablePointer(mutating: factor.baseAddress)
      b.withUnsafeMutableBufferPointer { b in
        dpotrs_(&triangle, &size, &columns, factor, &leading, b.baseAddress, &leadingOfB, &info)
      }
    }
    precondition(info == 0, "dpotrs: argument \(-info)")
  }
}
