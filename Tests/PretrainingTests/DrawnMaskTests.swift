import Foundation
import Parallel
import Pretraining
import Testing

/// Masks in blocks against methods.py's from the same random numbers, and masks in units.
struct DrawnMaskTests {
  struct Case: Decodable {
    let grid: Int
    let target: Double
    let least: Int
    let exact: Bool
    let sample: Int
    let hidden: [Int]
  }

  @Test func blocksAreTheOracles() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: OracleRun.fixtures + "methods/masks.json"))
    let cases = try JSONDecoder().decode([Case].self, from: data)
    #expect(cases.count == 48)
    for c in cases {
      var random = CounterRandom(seed: 5, epoch: 2, sample: c.sample, purpose: 9)
      let mask = DrawnMask.blocks(
        &random, grid: c.grid, target: c.target, least: c.least, isExact: c.exact)
      #expect(mask.indices.filter { mask[$0] } == c.hidden, "\(c)")
    }
  }

  /// No block has five patches of nine, or a side as long as the grid's: single patches make up what is left, and it ends.
  @Test(arguments: [(2, 3.0, 16), (3, 8, 9), (2, 1, 1)]) func exactMasksEndOnSmallGrids(
    grid: Int, target: Double, least: Int
  ) {
    for sample in 0..<20 {
      var random = CounterRandom(seed: 1, epoch: 0, sample: sample, purpose: 1)
      let mask = DrawnMask.blocks(&random, grid: grid, target: target, least: least, isExact: true)
      #expect(mask.count { $0 } == Int(target))
    }
  }

  /// 30 of 49 units of two by two patches, as SimMIM has it; each unit as often.
  @Test func unitsAreHiddenAsWholes() {
    var counts = [Int](repeating: 0, count: 49)
    for sample in 0..<2000 {
      var random = CounterRandom(seed: 1, epoch: 0, sample: sample, purpose: 1)
      let mask = DrawnMask.units(&random, grid: 14, unit: 2, ratio: 0.6)
      #expect(mask.count { $0 } == 120)
      for place in mask.indices {
        #expect(mask[place] == mask[place / 28 * 28 + place % 14 / 2 * 2])
        if mask[place] { counts[place / 28 * 7 + place % 14 / 2] += 1 }
      }
    }
    // A unit is hidden in 30/49 of the draws, and has four patches.
    #expect(counts.allSatisfy { abs(Double($0) / 4 - 2000.0 * 30 / 49) < 90 })
  }

  /// Three patches a side in units of two: the last are cut.
  @Test func unitsThatDoNotFitAreCut() {
    var random = CounterRandom(seed: 1, epoch: 0, sample: 0, purpose: 1)
    let mask = DrawnMask.units(&random, grid: 3, unit: 2, ratio: 0.5)
    let sizes = [[0, 1, 3, 4], [2, 5], [6, 7], [8]]
    #expect(sizes.count { $0.allSatisfy { mask[$0] } } == 2)
    #expect(sizes.count { $0.allSatisfy { !mask[$0] } } == 2)
  }
}
