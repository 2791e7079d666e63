import Autodiff
import Compute
import Foundation

/// Fixed 2-D sine-cosine positions [1 + grid², D] in MAE's order: the first half of a row encodes the column x, the second
/// half the row y; within a half, sines then cosines; row 0, the class token's, is zero. Computed in double precision.
public func positionTable(width: Int, grid: Int, engine: Engine) -> Tensor {
  let table = Tensor(rows: 1 + grid * grid, columns: width, values: engine.memory.take((1 + grid * grid) * width))
  table.values.zero()
  let quarter = width / 4
  for y in 0..<grid {
    for x in 0..<grid {
      let row = 1 + y * grid + x
      for (half, position) in [x, y].enumerated() {
        for i in 0..<quarter {
          let angle = Double(position) * (1 / pow(10000, Double(i) / Double(quarter)))
          table[row, half * 2 * quarter + i] = Float(sin(angle))
          table[row, half * 2 * quarter + quarter + i] = Float(cos(angle))
        }
      }
    }
  }
  return table
}
