import Autodiff
import CKernels
import Compute
import Foundation
import Ranks

/// What a batch's labels [rows, C] say, whose parts come one after the other: how certain they are, and how many of the C prototypes are
/// in use.
public struct LabelUse {
  private let prototypes: Int
  private var entropies: [Double] = []
  private var greatest: [Int32] = []

  public init(prototypes: Int) { self.prototypes = prototypes }

  /// Takes in the labels [rows, C] of a part.
  public mutating func note(_ labels: Tensor, engine: Engine) {
    let first = entropies.count
    entropies += [Double](repeating: 0, count: labels.rows)
    greatest += [Int32](repeating: 0, count: labels.rows)
    entropies.withUnsafeMutableBufferPointer { entropies in
      greatest.withUnsafeMutableBufferPointer { greatest in
        let (entropies, greatest) = (entropies, greatest)
        engine.rows(over: labels, cost: prototypes) { labels, range in
          for r in range {
            entropies[first + r] = pmae_entropy(labels.row(r), labels.columns)
            greatest[first + r] = Int32(pmae_argmax(labels.row(r), labels.columns))
          }
        }
      }
    }
  }

  /// The mean of the rows' entropy over log C, and the prototypes that are some row's greatest, as a share of those that could be,
  /// min(C, rows). Rows are those of all ranks; of none both are 1.
  public func shares(over ranks: Ranks) -> (entropy: Double, used: Double) {
    let entropies = ranks.gather(lists: entropies, padding: 0).flatMap { $0 }
    let greatest = ranks.gather(lists: greatest, padding: 0).flatMap { $0 }
    if entropies.isEmpty { return (1, 1) }
    // Of one prototype there is one label, and nothing to be uncertain of.
    let most = prototypes > 1 ? log(Double(prototypes)) : 1
    return (entropies.reduce(0, +) / Double(entropies.count) / most, shareInUse(greatest, of: prototypes))
  }
}
