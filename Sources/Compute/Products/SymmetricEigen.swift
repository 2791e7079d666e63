import COpenBLAS

/// The eigenvectors of a symmetric matrix with the greatest eigenvalues, the greatest first, by LAPACK's dsyevd. Each has length 1, and
/// the sign that makes its value of the greatest magnitude positive, so that equal matrices give equal vectors.
/// - Parameters:
///   - matrix: [n, n].
///   - count: at most n.
/// - Returns: nil where LAPACK does not converge.
public func leadingEigenvectors(_ matrix: [Double], n: Int, count: Int) -> [(value: Double, vector: [Double])]? {
  precondition(matrix.count == n * n && count <= n)
  if n == 0 { return [] }
  var a = matrix
  var values = [Double](repeating: 0, count: n)
  var size = Int32(n)
  var (job, triangle) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")))
  var info: Int32 = 0
  // What dsyevd asks for where vectors are wanted.
  var lwork = Int32(1 + 6 * n + 2 * n * n)
  var liwork = Int32(3 + 5 * n)
  var work = [Double](repeating: 0, count: Int(lwork))
  var iwork = [Int32](repeating: 0, count: Int(liwork))
  var leading = size
  dsyevd_(&job, &triangle, &size, &a, &leading, &values, &work, &lwork, &iwork, &liwork, &info)
  guard info == 0 else { return nil }
  // In ascending order, a vector a column of Fortran's: a row here.
  return (0..<count).map { place in
    let row = n - 1 - place
    var vector = Array(a[row * n..<(row + 1) * n])
    let greatest = vector.max { abs($0) < abs($1) } ?? 0
    if greatest < 0 { for i in 0..<n { vector[i] = -vector[i] } }
    return (values[row], vector)
  }
}
