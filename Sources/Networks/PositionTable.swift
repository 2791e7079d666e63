import Autodiff
import Compute
import Foundation

/// Fixed 2-D sine-cosine positions [1 + grid², D] in MAE's order: the first half of a row encodes the column x, the second
/// half the row y; within a half, sines then cosines; row 0, the class token's, is zero. Computed in double precision.
/// - Parameter full: patches along a side of the images that an encoder is made for, where these have another number. The
///   grid then lies over that of the encoder as pixels of a resized picture do: patch i is at (i + 1/2) full / grid − 1/2.
public func positionTable(width: Int, grid: Int, full: Int? = nil, engine: Engine) -> Tensor {
  positionTable(width: width, grid: PatchGrid(rows: grid, columns: grid), full: full, engine: engine)
}

/// Patches of an image: rows and columns of them.
public struct PatchGrid: Hashable, Sendable {
  public let rows: Int
  public let columns: Int

  public init(rows: Int, columns: Int) { (self.rows, self.columns) = (rows, columns) }

  public var patches: Int { rows * columns }
}

/// The same for images of any shape.
/// - Parameter full: of the square images that an encoder is made for, whose grid is stretched over these; nil: patch i of an edge is at i,
///   however many there are.
public func positionTable(width: Int, grid: PatchGrid, full: Int? = nil, engine: Engine) -> Tensor {
  let steps = [grid.columns, grid.rows].map { Double(full ?? $0) / Double($0) }
  let table = Tensor(rows: 1 + grid.patches, columns: width, values: engine.memory.take((1 + grid.patches) * width))
  table.values.zero()
  let quarter = width / 4
  for y in 0..<grid.rows {
    for x in 0..<grid.columns {
      let row = 1 + y * grid.columns + x
      for (half, (position, step)) in zip([x, y], steps).enumerated() {
        for i in 0..<quarter {
          let angle = ((Double(position) + 0.5) * step - 0.5) * (1 / pow(10000, Double(i) / Double(quarter)))
          table[row, half * 2 * quarter + i] = Float(sin(angle))
          table[row, half * 2 * quarter + quarter + i] = Float(cos(angle))
        }
      }
    }
  }
  return table
}

/// Tables of positions by the number of patches along a side, each computed when it is first asked for. For the thread that
/// starts operations alone.
final class PositionTables {
  private let engine: Engine
  private var tables: [Key: Tensor] = [:]

  /// A grid, and whether it is stretched over that of the encoder.
  struct Key: Hashable {
    let grid: PatchGrid
    let isStretched: Bool
  }

  init(_ engine: Engine) { self.engine = engine }

  /// A table that is not kept.
  func tensor(_ values: [Float], width: Int) -> Tensor {
    let table = Tensor(rows: values.count / width, columns: width, values: engine.memory.take(values.count))
    table.withValues { _ = $0.update(fromContentsOf: values) }
    return table
  }

  func table(_ key: Key, make: (Engine) -> Tensor) -> Tensor {
    if let table = tables[key] { return table }
    // Pictures of many shapes pass by in an evaluation.
    if tables.count >= 64 { tables.removeAll() }
    let table = make(engine)
    tables[key] = table
    return table
  }
}
