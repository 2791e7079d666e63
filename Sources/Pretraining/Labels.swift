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

/// For each masked patch of the student the teacher token of the same image with the highest cosine similarity (§3.3):
/// student [B·M, D], teacher [B·M', D] -> row numbers of the teacher [B·M]. Without gradient.
func nearest(_ student: Tensor, in teacher: Tensor, sequences: Int, engine: Engine) -> [Int32] {
  let width = student.columns
  let (m, t) = (student.rows / sequences, teacher.rows / sequences)
  var match = [Int32](repeating: 0, count: student.rows)
  match.withUnsafeMutableBufferPointer { match in
    let match = match
    let packing = engine.scratch(inner: width, columns: t)
    withMatrices(student, teacher) { student, teacher in
      engine.measure(.labels, flop: 2 * student.rows * width * t, values: (student.rows + teacher.rows) * width) {
        engine.run(sequences, scratch: t * width + m * t + packing) { s, scratch in
          // The student's own length changes no comparison.
          let unit = Matrix(scratch, rows: t, columns: width)
          for j in 0..<t { _ = pmae_normalise(teacher.row(s * t + j), unit.row(j), width, 1e-12) }
          let similarity = Matrix(scratch + t * width, rows: m, columns: t)
          engine.multiplyHere(
            student.rows(s * m..<(s + 1) * m), unit, into: similarity, transposing: .right,
            scratch: scratch + t * width + m * t)
          for i in 0..<m { match[s * m + i] = Int32(s * t + pmae_argmax(similarity.row(i), t)) }
        }
      }
    }
  }
  return match
}

/// The mean of K consecutive rows: labels of an image's folds [B·K, C] -> [B, C] (§3.3).
func meanOfFolds(_ labels: Tensor, folds: Int, engine: Engine) -> Tensor {
  let width = labels.columns
  let mean = Tensor(rows: labels.rows / folds, columns: width, values: engine.memory.take(labels.rows / folds * width))
  engine.rows(over: mean, labels, cost: folds * width) { mean, labels, range in
    for b in range {
      mean.row(b).update(repeating: 0, count: width)
      for k in 0..<folds { pmae_axpy(1 / Float(folds), labels.row(b * folds + k), mean.row(b), width) }
    }
  }
  return mean
}
