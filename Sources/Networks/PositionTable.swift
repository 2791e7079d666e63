import Autodiff
import Compute
import Foundation

/// Fixed 2-D sine-cosine positions [1 + grid², D] in MAE's order: the first half of a row encodes the column x, the second
/// half the row y; within a half, sines then cosines; row 0, the class token's, is zero. Computed in double precision.
/// - Parameter full: patches along a side of the images that an encoder is made for, where these have another number. The
///   grid then lies over that of the encoder as pixels of a resized picture do: patch i is at (i + 1/2) full / grid − 1/2.
public func positionTable(width: Int, grid: Int, full: Int? = nil, engine: Engine) -> Tensor {
  let step = Double(full ?? grid) / Double(grid)
  let table = Tensor(rows: 1 + grid * grid, columns: width, values: engine.memory.take((1 + grid * grid) * width))
  table.values.zero()
  let quarter = width / 4
  for y in 0..<grid {
    for x in 0..<grid {
      let row = 1 + y * grid + x
      for (half, position) in [x, y].enumerated() {
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
  private var tables: [Int: Tensor] = [:]

  init(_ engine: Engine) { self.engine = engine }

  func table(grid: Int, make: (Engine) -> Tensor) -> Tensor {
    if let table = tables[grid] { return table }
    let table = make(engine)
    tables[grid] = table
    return table
  }
}
