import Compute
import Synchronization
import Testing

struct RowBlockTests {
  /// Blocks of rows depend on the counts alone and hold each row once.
  @Test func blocksOfRowsDoNotDependOnTheThreads() {
    for (rows, cost) in [(1, 1), (5, 100_000), (1000, 64), (100_000, 1), (0, 7)] {
      var all: [Set<Range<Int>>] = []
      for threads in [1, 2, 5] {
        let blocks = Mutex<Set<Range<Int>>>([])
        Engine(threads: threads).rows(rows, cost: cost) { range in blocks.withLock { _ = $0.insert(range) } }
        all.append(blocks.withLock { $0 })
      }
      #expect(all[0] == all[1] && all[0] == all[2])
      #expect(all[0].flatMap { Array($0) }.sorted() == Array(0..<rows))
    }
  }
}
