import Networks
import Parallel
import TensorStream
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

  /// The views of a family of every row, in order.
  public func family(_ name: String) -> [ImageBatch] { views.members(of: name).map { images($0) } }

  /// Random numbers for each row, the same whatever batch it is in.
  /// - Parameter view: of which view of the row, where several draw for the same purpose.
  public func random(_ purpose: Purpose, view: Int = 0) -> [CounterRandom] {
    randomNumbers(rows.index, seed: seed, epoch: epoch, purpose, view: view)
  }

  /// Which patches of each row are hidden: what the stream says under this name, or else what is drawn for each row.
  /// - Parameters:
  ///   - grid: patches along a side.
  ///   - view: of which view, as `random`.
  ///   - draw: true for each patch that is hidden.
  /// - Throws: `Failure(.data)` where the stream's are neither 0 nor 1.
  public func hidden(
    _ name: String, grid: Int, view: Int = 0, draw: (inout CounterRandom) -> [Bool]
  ) throws -> HiddenPatches {
    let patches = grid * grid
    if let given = try numbers(name, patches: patches, below: 2) {
      return HiddenPatches(given.map { $0 == 1 }, patches: patches)
    }
    return HiddenPatches(
      random(.mask, view: view).flatMap { row in
        var random = row
        return draw(&random)
      }, patches: patches)
  }

  /// Integers that the stream carries for each patch, [B·N]; nil where it has none of this name.
  /// - Throws: `Failure(.data)` naming the row where one is below 0 or not below the limit.
  public func numbers(_ name: String, patches: Int, below limit: Int) throws -> [Int32]? {
    guard let given = rows.draws[name] else { return nil }
    let source = views.reader.name
    guard given.count == rows.count * patches else {
      throw Failure(
        .data,
        "\(source): \"\(name)\" has \(given.count / max(rows.count, 1)) numbers a row: expected one for each of the \(patches) patches"
      )
    }
    if let bad = given.firstIndex(where: { $0 < 0 || $0 >= limit }) {
      let row = views.position - rows.count + bad / patches
      throw Failure(
        .data, "\(source): row \(row): \"\(name)\" holds \(given[bad]): expected 0 to \(limit - 1)")
    }
    return given
  }

  /// The stream that the rows are from, for messages.
  public var source: String { views.reader.name }

  /// A permutation of the patches for each row: the stream's own where it has them, else drawn.
  /// - Throws: `Failure(.data)` where the stream's are none.
  public func masks(patches: Int, visible: Int) throws -> Masks {
    if rows.shuffle.isEmpty { return Masks(samples: random(.mask), patches: patches, visible: visible) }
    return try Masks(
      shuffle: rows.shuffle, sequences: rows.count, patches: patches, visible: visible,
      source: views.reader.name, firstRow: views.position - rows.count)
  }
}
