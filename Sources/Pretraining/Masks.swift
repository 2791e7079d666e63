import Networks
import Parallel
import TensorStream

/// Which patches of each image are visible and which masked: a random permutation of the N patches an image, the same for
/// both views, its first V visible (§3.1, §3.3). All numbers of rows and patches are made here.
///
/// B images, M = N − V masked patches, K folds of ⌊M / K⌋ patches, M' = K ⌊M / K⌋.
public struct Masks {
  /// [B·N].
  public let shuffle: [Int32]
  /// B.
  public let sequences: Int
  /// N.
  public let patches: Int
  /// V.
  public let visibleCount: Int

  public init(shuffle: [Int32], sequences: Int, visible: Int) {
    self.shuffle = shuffle
    self.sequences = sequences
    patches = shuffle.count / sequences
    visibleCount = visible
  }

  /// Draws a permutation for each sample from its own numbers.
  public init(samples: [CounterRandom], patches: Int, visible: Int) {
    var all: [Int32] = []
    all.reserveCapacity(samples.count * patches)
    for sample in samples {
      var random = sample
      all.append(contentsOf: random.permutation(patches).map { Int32($0) })
    }
    self.init(shuffle: all, sequences: samples.count, visible: visible)
  }

  /// Permutations that somebody else drew.
  /// - Throws: `Failure(.data)` naming the row where they are none.
  public init(shuffle: [Int32], sequences: Int, patches: Int, visible: Int, source: String, firstRow: Int) throws {
    for row in 0..<sequences {
      let part = shuffle.dropFirst(row * patches).prefix(patches)
      if shuffle.count != sequences * patches || part.sorted() != (0..<Int32(patches)).map({ $0 }) {
        throw Failure(
          .data, "\(source): row \(firstRow + row): \"shuffle\" is not a permutation of the \(patches) patches")
      }
    }
    self.init(shuffle: shuffle, sequences: sequences, visible: visible)
  }

  /// Patch numbers of each image from place `from` of its permutation on: [B·count].
  private func ids(from: Int, count: Int) -> [Int32] {
    (0..<sequences).flatMap { s in shuffle[s * patches + from..<s * patches + from + count] }
  }

  /// [B·V]
  public var visible: [Int32] { ids(from: 0, count: visibleCount) }

  /// M.
  public var maskedCount: Int { patches - visibleCount }

  /// M', how many masked patches of an image K equal folds hold; what is left over belongs to none.
  public func foldedCount(_ folds: Int) -> Int { maskedCount - maskedCount % folds }

  /// The masked patches that K equal folds hold, in the permutation's order, a fold after the other: [B·M'].
  public func folded(_ folds: Int) -> [Int32] { ids(from: visibleCount, count: foldedCount(folds)) }

  /// Masked patches of each image, the first `count` in the permutation's order: [B·count].
  public func masked(_ count: Int) -> [Int32] { ids(from: visibleCount, count: count) }
}

// Rows of tensors.
extension Masks {
  /// Rows of the decoder's sequences [B·(1 + N)] whose prediction is used: the class tokens where they are wanted, [B], then the first
  /// `count` masked patches of each image, [B·count].
  public func predicted(_ count: Int, classTokens: Bool) -> [Int32] {
    let stride = Int32(1 + patches)
    let tokens = classTokens ? (0..<Int32(sequences)).map { $0 * stride } : []
    return tokens + masked(count).enumerated().map { i, patch in Int32(i / count) * stride + 1 + patch }
  }

  /// Of predictions for class tokens and `predicted` patches an image, the rows of the class tokens: [B].
  public var classRows: [Int32] { (0..<Int32(sequences)).map { $0 } }

  /// Of the same, the rows of each image's first `count` patches: [B·count].
  public func patchRows(_ count: Int, of predicted: Int) -> [Int32] {
    (0..<sequences).flatMap { s in (0..<count).map { Int32(sequences + s * predicted + $0) } }
  }

  /// Of tokens in sequences of one class token and some patches each, B·K of them, the rows of the class tokens: [B·K].
  public func classRows(tokens: Int, folds: Int) -> [Int32] {
    let stride = tokens / (sequences * folds)
    return (0..<sequences * folds).map { Int32($0 * stride) }
  }

  /// Of the same, the rows of the patches: [B·M'].
  public func patchRows(tokens: Int, folds: Int) -> [Int32] {
    let stride = tokens / (sequences * folds)
    return (0..<Int32(tokens)).filter { Int($0) % stride != 0 }
  }

  /// Which of K folds each patch of each image is in: −1 visible, K masked but left over; [B·N].
  public func groups(folds: Int) -> [Int] {
    var groups = [Int](repeating: folds, count: shuffle.count)
    let folded = foldedCount(folds)
    let perFold = max(1, folded / folds)
    for (place, patch) in shuffle.enumerated() {
      let (image, order) = place.quotientAndRemainder(dividingBy: patches)
      if order < visibleCount {
        groups[image * patches + Int(patch)] = -1
      } else if order - visibleCount < folded {
        groups[image * patches + Int(patch)] = (order - visibleCount) / perFold
      }
    }
    return groups
  }
}
