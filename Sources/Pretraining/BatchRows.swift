import Networks
import Parallel
import Training

/// Rows of the views in a run, and each row's own random numbers.
public struct BatchRows {
  private let rows: ViewBatches.Rows
  private let views: ViewBatches
  private let seed: UInt64
  private let epoch: Int

  public init(_ rows: ViewBatches.Rows, of views: ViewBatches, seed: UInt64, epoch: Int) {
    (self.rows, self.views, self.seed, self.epoch) = (rows, views, seed, epoch)
  }

  public var count: Int { rows.count }

  /// Whether the stream has this view.
  public func has(_ view: String) -> Bool { views.has(view) }

  /// A view of every row.
  public func images(_ view: String) -> ImageBatch { rows.images(view, of: views) }

  /// Random numbers for each row, the same whatever batch it is in.
  public func random(_ purpose: Purpose) -> [CounterRandom] {
    randomNumbers(rows.index, seed: seed, epoch: epoch, purpose)
  }

  /// A permutation of the patches for each row: the stream's own where it has them, else drawn.
  /// - Throws: `Failure(.data)` where the stream's are none.
  public func masks(patches: Int, visible: Int) throws -> Masks {
    if rows.shuffle.isEmpty { return Masks(samples: random(.mask), patches: patches, visible: visible) }
    return try Masks(
      shuffle: rows.shuffle, sequences: rows.count, patches: patches, visible: visible,
      source: views.reader.name, firstRow: views.position - rows.count)
  }
}
