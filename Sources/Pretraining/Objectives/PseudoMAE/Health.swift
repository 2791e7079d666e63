import Autodiff
import CKernels
import Compute
import Foundation
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
    let (c, p) = (labelUse(classes, engine: engine), labelUse(patches, engine: engine))
    self.init(entropyC: c.entropy, entropyP: p.entropy, usedC: c.used, usedP: p.used)
  }
}

/// Of the rows of labels of all parts of a batch: the mean of their entropy over log C, and the share of the prototypes in use.
public func labelUse(_ parts: [Tensor], engine: Engine) -> (entropy: Double, used: Double) {
  let columns = parts[0].columns
  let rows = parts.reduce(0) { $0 + $1.rows }
  var entropies = [Double](repeating: 0, count: rows)
  var greatest = [Int32](repeating: 0, count: rows)
  entropies.withUnsafeMutableBufferPointer { entropies in
    greatest.withUnsafeMutableBufferPointer { greatest in
      let (entropies, greatest) = (entropies, greatest)
      var first = 0
      for part in parts {
        engine.rows(over: part, cost: columns) { [first] part, range in
          for r in range {
            entropies[first + r] = pmae_entropy(part.row(r), columns)
            greatest[first + r] = Int32(pmae_argmax(part.row(r), columns))
          }
        }
        first += part.rows
      }
    }
  }
  // Of one prototype there is one label, and nothing to be uncertain of.
  let most = columns > 1 ? log(Double(columns)) : 1
  return (
    entropies.reduce(0, +) / Double(rows) / most, Double(Set(greatest).count) / Double(min(columns, rows))
  )
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
