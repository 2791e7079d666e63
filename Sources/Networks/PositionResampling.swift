import Foundation

/// Learned positions [1 + grid², D] for another grid, as timm's `resample_abs_pos_embed` makes them: the class token's row
/// stays, the others are an image of D channels that is resized by bicubic interpolation with antialiasing (PyTorch's:
/// Keys' filter with a = −0.5, widened where the image shrinks, and cut off and normalised at its edges).
public func resampledPositions(_ positions: [Float], width: Int, from grid: Int, to newGrid: Int) -> [Float] {
  resampledPositions(
    positions, width: width, from: PatchGrid(rows: grid, columns: grid), to: PatchGrid(rows: newGrid, columns: newGrid))
}

/// The same for grids that are not square.
public func resampledPositions(
  _ positions: [Float], width: Int, from grid: PatchGrid, to newGrid: PatchGrid
) -> [Float] {
  precondition(positions.count == (1 + grid.patches) * width)
  if grid == newGrid { return positions }
  let across = bicubicTaps(from: grid.columns, to: newGrid.columns)
  let down = bicubicTaps(from: grid.rows, to: newGrid.rows)
  let image = positions.dropFirst(width).map(Double.init)
  // Columns first, then rows.
  var narrowed = [Double](repeating: 0, count: grid.rows * newGrid.columns * width)
  for y in 0..<grid.rows {
    for (x, tap) in across.enumerated() {
      for (i, weight) in tap.weights.enumerated() {
        let (from, to) = ((y * grid.columns + tap.first + i) * width, (y * newGrid.columns + x) * width)
        for c in 0..<width { narrowed[to + c] += weight * image[from + c] }
      }
    }
  }
  var result = [Double](repeating: 0, count: newGrid.patches * width)
  for (y, tap) in down.enumerated() {
    for (i, weight) in tap.weights.enumerated() {
      let (from, to) = ((tap.first + i) * newGrid.columns * width, y * newGrid.columns * width)
      for c in 0..<newGrid.columns * width { result[to + c] += weight * narrowed[from + c] }
    }
  }
  return positions.prefix(width) + result.map(Float.init)
}

/// For each place of the new side the places of the old one that it is made of, and their shares.
private func bicubicTaps(from side: Int, to newSide: Int) -> [(first: Int, weights: [Double])] {
  let scale = Double(side) / Double(newSide)
  let stretch = max(scale, 1)
  return (0..<newSide).map { place in
    let center = scale * (Double(place) + 0.5)
    let first = max(Int(center - 2 * stretch + 0.5), 0)
    let end = min(Int(center + 2 * stretch + 0.5), side)
    let weights = (first..<end).map { bicubic((Double($0) - center + 0.5) / stretch) }
    let sum = weights.reduce(0, +)
    return (first, weights.map { $0 / sum })
  }
}

/// Keys' cubic convolution with a = −0.5.
private func bicubic(_ distance: Double) -> Double {
  let (a, x) = (-0.5, abs(distance))
  if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}
