import Autodiff
import CKernels
import Compute
import Foundation

/// Of the rows of labels of some parts of a batch: the mean of their entropy over log C, and the share of the prototypes in use.
/// - Parameter ofAllRanks: whether they are this rank's part of the labels that are meant.
public func labelUse(_ parts: [Tensor], ofAllRanks: Bool = false, engine: Engine) -> (entropy: Double, used: Double) {
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
  if ofAllRanks { (entropies, greatest) = (engine.ranks.gather(entropies), engine.ranks.gather(greatest)) }
  // Of one prototype there is one label, and nothing to be uncertain of.
  let most = columns > 1 ? log(Double(columns)) : 1
  return (
    entropies.reduce(0, +) / Double(entropies.count) / most,
    Double(Set(greatest).count) / Double(min(columns, entropies.count))
  )
}
