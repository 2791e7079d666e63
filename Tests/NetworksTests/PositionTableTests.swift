import Autodiff
import Compute
import Networks
import Schemas
import TensorStream
import TestSupport
import Testing
import Training

/// The sine-cosine table against PyTorch's.
struct PositionTableTests {
  @Test(arguments: [(4, 1), (12, 3), (20, 7), (96, 5)]) func agreesWithTheOracle(_ width: Int, _ grid: Int) throws {
    let file = try readTensors(path: fixture("reference/positions.safetensors"))
    let expected = try #require(file["\(width)x\(grid)"])
    let table = positionTable(width: width, grid: grid, engine: Engine(threads: 1, poisoning: true))
    #expect([table.rows, table.columns] == expected.shape)
    let theirs = try expected.values(of: Float.self)
    // Both are computed in double precision and rounded once: at most the last bit may differ.
    for (mine, theirs) in zip(table.array, theirs) { #expect(abs(mine - theirs) <= theirs.ulp) }
  }

  @Test func aRowIsItsColumnThenItsRow() {
    let (width, grid) = (8, 3)
    let table = positionTable(width: width, grid: grid, engine: Engine(threads: 1, poisoning: true))
    #expect(table.rows(0..<1).allSatisfy { $0 == 0 }, "the class token has no place")
    func half(_ y: Int, _ x: Int, _ which: Int) -> [Float] {
      Array(table.rows(1 + y * grid + x..<2 + y * grid + x)[which * 4..<which * 4 + 4])
    }
    for i in 0..<grid {
      for j in 0..<grid {
        #expect(half(i, j, 0) == half(0, j, 0), "the first half is the column alone")
        #expect(half(i, j, 1) == half(i, 0, 1), "the second half is the row alone")
        #expect(half(i, j, 0) == half(j, i, 1), "both in the same way")
      }
    }
    #expect(half(0, 0, 0) == [0, 0, 1, 1], "sines, then cosines")
  }
}
