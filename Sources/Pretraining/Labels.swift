import Autodiff
import CKernels
import Compute

/// Sinkhorn-Knopp (SwAV): soft assignments of R rows to C prototypes, each row summing to 1, the prototypes used evenly.
/// Takes the place of the logits [R, C] in memory; R is the global batch. The greatest logit is subtracted first, which
/// changes nothing but overflow.
public func sinkhorn(_ logits: Tensor, temperature: Double, iterations: Int, engine: Engine) {
  let (rows, columns) = (logits.rows, logits.columns)
  let top = engine.maximum(logits)
  engine.rows(rows, cost: columns) { range in
    for r in range {
      pmae_exp_scaled(logits.row(r), logits.row(r), columns, top, Float(1 / temperature))
    }
  }
  // Rows are scaled to 1 instead of 1 / R: the next division by the column sums takes the factor out again.
  let scales = engine.memory.take(columns)
  let strip = 64
  for _ in 0..<iterations {
    engine.threads.run((columns + strip - 1) / strip) { index in
      let c = index * strip
      let width = min(strip, columns - c)
      pmae_column_sums(logits.pointer + c, scales.pointer + c, rows, width, columns, 0)
      for i in c..<c + width { scales.pointer[i] = 1 / scales.pointer[i] }
    }
    engine.rows(rows, cost: columns) { range in
      for r in range { pmae_scale_row(logits.row(r), scales.pointer, columns) }
    }
  }
}

/// For each masked patch of the student the teacher token of the same image with the highest cosine similarity (§3.3):
/// student [B·M, D], teacher [B·M', D] -> row numbers of the teacher [B·M]. Without gradient.
func nearest(_ student: Tensor, in teacher: Tensor, sequences: Int, engine: Engine) -> [Int32] {
  let width = student.columns
  let (m, t) = (student.rows / sequences, teacher.rows / sequences)
  var match = [Int32](repeating: 0, count: student.rows)
  match.withUnsafeMutableBufferPointer { match in
    let match = match
    engine.run(sequences, scratch: t * width + m * t) { s, scratch in
      // The student's own length changes no comparison.
      let unit = Matrix(scratch, rows: t, columns: width)
      for j in 0..<t { _ = pmae_normalise(teacher.row(s * t + j), scratch + j * width, width, 1e-12) }
      let similarity = Matrix(scratch + t * width, rows: m, columns: t)
      multiplyHere(
        Matrix(student.row(s * m), rows: m, columns: width), unit, into: similarity, transposing: .right)
      for i in 0..<m { match[s * m + i] = Int32(s * t + pmae_argmax(similarity.pointer + i * t, t)) }
    }
  }
  return match
}

/// The mean of K consecutive rows: labels of an image's folds [B·K, C] -> [B, C] (§3.3).
func meanOfFolds(_ labels: Tensor, folds: Int, engine: Engine) -> Tensor {
  let width = labels.columns
  let mean = Tensor(rows: labels.rows / folds, columns: width, values: engine.memory.take(labels.rows / folds * width))
  engine.rows(mean.rows, cost: folds * width) { range in
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
      rows(x.rows, cost: x.columns) { range in
        for r in range { each[r] = pmae_maximum(x.row(r), x.columns) }
      }
    }
    return each.max() ?? 0
  }
}
