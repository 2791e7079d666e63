import Autodiff
import CKernels
import Compute

/// What the labelling teacher says of some images (§3.3). B images, K folds of F patches, C prototypes.
public struct PseudoLabels {
  /// [B, C]
  public let classes: Tensor
  /// [B·K·F, C]
  public let patches: Tensor
  /// The teacher's tokens that these are the labels of [B·K·F, D], for a student's patch to find the nearest.
  let tokens: Tensor
}

/// Sinkhorn-Knopp (SwAV): soft assignments of R rows to C prototypes, each row summing to 1, the prototypes used evenly.
/// Takes the place of the logits in memory. The greatest logit is subtracted first, which changes nothing but overflow.
/// - Parameter parts: the logits of the global batch, [R, C] in one piece or more, one after the other.
public func sinkhorn(_ parts: [Tensor], temperature: Double, iterations: Int, engine: Engine) {
  let columns = parts[0].columns
  let top = parts.map(engine.maximum).max() ?? 0
  let exponential = { (row: UnsafeMutablePointer<Float>) in
    pmae_exp_scaled(row, row, columns, top, Float(1 / temperature))
  }
  var columnScales = engine.memory.take(columns)
  // Rows are scaled to 1 instead of 1 / R: the next division by the column sums takes the factor out again.
  let scale = { (row: UnsafeMutablePointer<Float>, scales: Buffer) in pmae_scale_row(row, scales.pointer, columns) }
  for iteration in 0..<iterations {
    // What the step before left to do to a row is done while it is in cache for its part of the sums.
    let sums = engine.memory.take(columns)
    for (i, part) in parts.enumerated() {
      engine.columnSums(rows: part.rows, columns: columns, into: sums.pointer, adding: i > 0) {
        [part = part.matrix, columnScales] rows, sums in
        for r in rows { if iteration == 0 { exponential(part.row(r)) } else { scale(part.row(r), columnScales) } }
        pmae_column_sums(part.row(rows.lowerBound), sums, rows.count, columns, part.stride, 0)
      }
    }
    for i in 0..<columns { sums.pointer[i] = 1 / sums.pointer[i] }
    columnScales = sums
  }
  for part in parts {
    engine.rows(part.rows, cost: columns) { [part = part.matrix, columnScales] range in
      for r in range { if iterations == 0 { exponential(part.row(r)) } else { scale(part.row(r), columnScales) } }
    }
  }
}

/// For each masked patch of the student the teacher token of the same image with the highest cosine similarity (§3.3):
/// student [B·M, D], teacher [B·M', D] -> row numbers of the teacher [B·M]. Without gradient.
func nearest(_ student: Tensor, in teacher: Tensor, sequences: Int, engine: Engine) -> [Int32] {
  let width = student.columns
  let (m, t) = (student.rows / sequences, teacher.rows / sequences)
  let (student, teacher) = (student.matrix, teacher.matrix)
  var match = [Int32](repeating: 0, count: student.rows)
  match.withUnsafeMutableBufferPointer { match in
    let match = match
    let packing = engine.scratch(inner: width, columns: t)
    let body = { (s: Int, scratch: UnsafeMutablePointer<Float>) in
      // The student's own length changes no comparison.
      let unit = Matrix(scratch, rows: t, columns: width)
      for j in 0..<t { _ = pmae_normalise(teacher.row(s * t + j), scratch + j * width, width, 1e-12) }
      let similarity = Matrix(scratch + t * width, rows: m, columns: t)
      engine.multiplyHere(
        Matrix(student.row(s * m), rows: m, columns: width, stride: student.stride), unit, into: similarity,
        transposing: .right, scratch: scratch + t * width + m * t)
      for i in 0..<m { match[s * m + i] = Int32(s * t + pmae_argmax(similarity.pointer + i * t, t)) }
    }
    engine.measure(.labels, flop: 2 * student.rows * width * t, values: (student.rows + teacher.rows) * width) {
      engine.run(sequences, scratch: t * width + m * t + packing, body)
    }
  }
  return match
}

/// The mean of K consecutive rows: labels of an image's folds [B·K, C] -> [B, C] (§3.3).
func meanOfFolds(_ labels: Tensor, folds: Int, engine: Engine) -> Tensor {
  let width = labels.columns
  let mean = Tensor(rows: labels.rows / folds, columns: width, values: engine.memory.take(labels.rows / folds * width))
  engine.rows(mean.rows, cost: folds * width) { [labels = labels.matrix, mean = mean.matrix] range in
    for b in range {
      mean.row(b).update(repeating: 0, count: width)
      for k in 0..<folds { pmae_axpy(1 / Float(folds), labels.row(b * folds + k), mean.row(b), width) }
    }
  }
  return mean
}

extension Engine {
  fileprivate func maximum(_ x: Tensor) -> Float {
    var each = [Float](repeating: -.infinity, count: x.rows)
    each.withUnsafeMutableBufferPointer { each in
      let each = each
      rows(x.rows, cost: x.columns) { [x = x.matrix] range in
        for r in range { each[r] = pmae_maximum(x.row(r), x.columns) }
      }
    }
    return each.max() ?? 0
  }
}
