import Compute
import Networks
import Parallel
import TensorStream

/// Which patches of each image are visible and which masked: a random permutation of the N patches an image, the same for
/// both views, its first V visible (§3.1, §3.3).
public struct Masks {
  /// [B·N].
  public let shuffle: [Int32]
  public let sequences: Int
  public let patches: Int
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

  /// Patch numbers of each image from place `from` of its permutation on: [B·count].
  private func ids(from: Int, count: Int) -> [Int32] {
    (0..<sequences).flatMap { s in shuffle[s * patches + from..<s * patches + from + count] }
  }

  /// [B·V]
  public var visible: [Int32] { ids(from: 0, count: visibleCount) }

  public var maskedCount: Int { patches - visibleCount }

  /// How many masked patches an image K equal folds hold; what is left over belongs to none.
  public func foldedCount(_ folds: Int) -> Int { maskedCount - maskedCount % folds }

  /// The masked patches that K equal folds hold, in the permutation's order, a fold after the other: [B·K·F].
  public func folded(_ folds: Int) -> [Int32] { ids(from: visibleCount, count: foldedCount(folds)) }

  /// Masked patches of each image, the first `count` in the permutation's order: [B·count].
  public func masked(_ count: Int) -> [Int32] { ids(from: visibleCount, count: count) }
}

extension Masks {
  /// Those of some rows of views in a run: the stream's own permutations where it has them, else drawn from the run's seed, the epoch and
  /// each row's number in the set.
  /// - Throws: `Failure(.data)` where the stream's are none.
  public init(of rows: ViewBatches.Rows, in views: ViewBatches, epoch: Int, configuration: Configuration) throws {
    let patches = configuration.encoder.patches
    if rows.shuffle.isEmpty {
      self.init(
        samples: rows.random(seed: configuration.seed, epoch: epoch, .mask), patches: patches,
        visible: configuration.visible)
      return
    }
    for row in 0..<rows.count {
      let part = rows.shuffle.dropFirst(row * patches).prefix(patches)
      if rows.shuffle.count != rows.count * patches || part.sorted() != (0..<Int32(patches)).map({ $0 }) {
        throw Failure(
          .data,
          "\(views.reader.name): row \(views.position - rows.count + row): \"shuffle\" is not a permutation of the \(patches) patches"
        )
      }
    }
    self.init(shuffle: rows.shuffle, sequences: rows.count, visible: configuration.visible)
  }
}

extension ViewBatches.Rows {
  /// Each row's own random numbers for one purpose of a run.
  func random(seed: UInt64, epoch: Int, _ purpose: Purpose) -> [CounterRandom] {
    index.map { CounterRandom(seed: seed, epoch: epoch, sample: Int($0), purpose: purpose.rawValue) }
  }
}
