import Autodiff
import CKernels
import Compute
import Training

/// Shows, while a run goes on, whether its labels still say something. B images, K folds of F patches, C prototypes.
public struct LabelHealth: Equatable, Sendable {
  /// Entropy of a row of labels over log C, mean over the rows, [B·K, C] of class tokens and [B·K·F, C] of patches, as
  /// Sinkhorn-Knopp left them: 1 where labels are uniform and say nothing, 0 where each is a single prototype.
  public let entropyC: Double
  public let entropyP: Double
  /// Prototypes that are some row's greatest, as a share of those that could be, min(C, rows).
  public let usedC: Double
  public let usedP: Double

  public init(entropyC: Double, entropyP: Double, usedC: Double, usedP: Double) {
    (self.entropyC, self.entropyP, self.usedC, self.usedP) = (entropyC, entropyP, usedC, usedP)
  }

  /// As metrics have them.
  public var figures: [Figure] {
    [
      Figure("entropy_c", entropyC), Figure("entropy_p", entropyP), Figure("used_c", usedC), Figure("used_p", usedP),
    ]
  }

  init(classes: [Tensor], patches: [Tensor], engine: Engine) {
    func use(_ labels: [Tensor]) -> (entropy: Double, used: Double) {
      var use = LabelUse(prototypes: labels[0].columns)
      for part in labels { use.note(part, engine: engine) }
      return use.shares(over: engine.ranks)
    }
    let (c, p) = (use(classes), use(patches))
    self.init(entropyC: c.entropy, entropyP: p.entropy, usedC: c.used, usedP: p.used)
  }
}

/// The mean over a student's patches [R, D] of the cosine to the teacher's tokens whose labels they take.
/// - Parameter rowOf: the row of `teacher` for each of the student's; nil where they are the same.
func meanCosine(_ student: Tensor, _ teacher: Tensor, rowOf: [Int32]?, engine: Engine) -> Double {
  let width = student.columns
  var cosines = [Double](repeating: 0, count: student.rows)
  cosines.withUnsafeMutableBufferPointer { cosines in
    let cosines = cosines
    engine.rows(over: student, teacher, cost: 3 * width) { student, teacher, range in
      for r in range {
        let (s, t) = (student.row(r), teacher.row(rowOf.map { Int($0[r]) } ?? r))
        let lengths = (pmae_dot(s, s, width) * pmae_dot(t, t, width)).squareRoot()
        cosines[r] = pmae_dot(s, t, width) / max(lengths, 1e-16)
      }
    }
  }
  return cosines.reduce(0, +) / Double(student.rows)
}
