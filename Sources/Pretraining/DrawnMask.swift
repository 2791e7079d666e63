import Foundation
import Parallel

/// Masks made of blocks (Bao et al., BEiT), and of square units (Xie et al., SimMIM), for an image of grid² patches. True where a
/// patch is hidden; what is drawn depends on the random numbers alone.
public enum DrawnMask {
  /// Blocks, one after the other, until so many patches are hidden. A block has ten tries: its area is uniform between the least
  /// and what is left, its aspect log-uniform from 0.3 to 1/0.3; it is taken where it hides something new and no more than is
  /// left. Where ten tries fail, fewer patches stay hidden.
  /// - Parameters:
  ///   - target: how many patches; need not be whole.
  ///   - least: the least area of a block. What is left may be less; the area is then between the two all the same.
  ///   - isExact: tries on until the target is reached.
  public static func blocks(
    _ random: inout CounterRandom, grid: Int, target: Double, least: Int, isExact: Bool = false
  ) -> [Bool] {
    var mask = [Bool](repeating: false, count: grid * grid)
    var hidden = 0
    var failures = 0
    let aspect = log(0.3)
    while target - Double(hidden) > 0 {
      let left = target - Double(hidden)
      var isTaken = false
      for _ in 0..<10 where !isTaken {
        let area = Double(least) + (left - Double(least)) * random.uniform()
        let ratio = exp(aspect + (-aspect - aspect) * random.uniform())
        let height = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
        let width = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
        if height >= grid || width >= grid { continue }
        let (top, start) = (random.below(grid - height + 1), random.below(grid - width + 1))
        let places = (top..<top + height).flatMap { y in (start..<start + width).map { y * grid + $0 } }
        let new = places.filter { !mask[$0] }
        if new.isEmpty || Double(new.count) > left { continue }
        for place in new { mask[place] = true }
        hidden += new.count
        isTaken = true
      }
      if isTaken { continue }
      if !isExact { break }
      failures += 1
      // So small a grid has no block for what is left: single patches do.
      if failures == 1000 {
        for place in random.permutation(grid * grid) where !mask[place] && Double(hidden) < target {
          mask[place] = true
          hidden += 1
        }
      }
    }
    return mask
  }

  /// Square units of unit² patches, a share of all units rounded up. Where units do not divide the grid, the last ones are cut.
  public static func units(_ random: inout CounterRandom, grid: Int, unit: Int, ratio: Double) -> [Bool] {
    let side = (grid + unit - 1) / unit
    var isHidden = [Bool](repeating: false, count: side * side)
    for place in random.permutation(side * side).prefix(unitCount(grid: grid, unit: unit, ratio: ratio)) {
      isHidden[place] = true
    }
    return (0..<grid * grid).map { isHidden[$0 / grid / unit * side + $0 % grid / unit] }
  }

  /// How many units are hidden.
  public static func unitCount(grid: Int, unit: Int, ratio: Double) -> Int {
    let side = (grid + unit - 1) / unit
    return Int((Double(side * side) * ratio).rounded(.up))
  }
}
