import Foundation
import Parallel
import Synchronization
import Testing

/// Each task runs once, whatever the threads, the nesting and the callers.
struct ThreadPoolTests {
  /// Counts what ran; each task owns one counter, so that a task that ran twice or never shows.
  final class Counters: Sendable {
    private let values: Mutex<[Int]>
    init(_ count: Int) { values = Mutex([Int](repeating: 0, count: count)) }
    func add(_ index: Int) { values.withLock { $0[index] += 1 } }
    var all: [Int] { values.withLock { $0 } }
  }

  @Test(arguments: 1...7) func eachTaskRunsOnce(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threads == threads)
    for tasks in [0, 1, 2, 3, 7, 64, 1000] {
      let counters = Counters(tasks)
      pool.run(tasks) { counters.add($0) }
      #expect(counters.all == [Int](repeating: 1, count: tasks))
    }
  }

  /// Rounds follow each other with hardly anything between: a worker that comes late to one must not disturb the next.
  @Test(arguments: [2, 3, 5]) func manyShortRoundsFollowEachOther(threads: Int) {
    let pool = ThreadPool(threads: threads)
    var wrong = 0
    for round in 0..<4000 {
      let tasks = 1 + round % 9
      let sums = (0..<tasks).map { _ in Count() }
      pool.run(tasks) { sums[$0].value.add(round + $0, ordering: .relaxed) }
      for task in 0..<tasks where sums[task].value.load(ordering: .relaxed) != round + task { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test func roundsAreDoneWhenRunReturns() {
    let pool = ThreadPool(threads: 3)
    for _ in 0..<20 {
      let done = Atomic<Int>(0)
      pool.run(6) { task in
        if task % 2 == 1 { usleep(200) }
        done.add(1, ordering: .relaxed)
      }
      #expect(done.load(ordering: .relaxed) == 6)
    }
  }

  @Test(arguments: 1...4) func nestedCallsRunTheirTasksToo(threads: Int) {
    let pool = ThreadPool(threads: threads)
    let counters = Counters(6 * 5 * 4)
    pool.run(6) { i in
      pool.run(5) { j in
        pool.run(4) { k in counters.add((i * 5 + j) * 4 + k) }
      }
    }
    #expect(counters.all == [Int](repeating: 1, count: 120))
  }

  /// No two tasks that run at one time have the same worker number, so scratch memory by worker is safe; in nested calls too.
  @Test func workersAreAThreadEach() {
    let threads = 4
    let pool = ThreadPool(threads: threads)
    let busy = (0..<threads).map { _ in Count() }
    let clashes = Atomic<Int>(0)
    for _ in 0..<50 {
      pool.run(12) { _, worker in
        #expect((0..<threads).contains(worker))
        if busy[worker].value.add(1, ordering: .sequentiallyConsistent).newValue != 1 {
          clashes.add(1, ordering: .relaxed)
        }
        pool.run(2) { _, inner in if inner != worker { clashes.add(1, ordering: .relaxed) } }
        usleep(20)
        busy[worker].value.subtract(1, ordering: .sequentiallyConsistent)
      }
    }
    #expect(clashes.load(ordering: .relaxed) == 0)
  }

  /// The caller's number in its own pool says nothing in another.
  @Test func aTaskOfOnePoolMustNotUseAnother() async {
    await #expect(processExitsWith: .success) {
      let (one, other) = (ThreadPool(threads: 4), ThreadPool(threads: 2))
      one.run(8) { _ in one.run(2) { _, _ in } }
      other.run(8) { _ in other.run(2) { _, _ in } }
    }
    await #expect(processExitsWith: .failure) {
      let (outer, inner) = (ThreadPool(threads: 4), ThreadPool(threads: 2))
      outer.run(8) { _ in inner.run(2) { _, _ in } }
    }
    await #expect(processExitsWith: .failure) {
      let (outer, inner) = (ThreadPool(threads: 2), ThreadPool(threads: 1))
      outer.run(8) { _ in inner.run(2) { _, _ in } }
    }
  }

  @Test func severalCallersShareOnePool() {
    let pool = ThreadPool(threads: 3)
    let callers = 5
    let rounds = 200
    let counters = Counters(callers * 8)
    let group = DispatchGroup()
    for caller in 0..<callers {
      group.enter()
      Thread {
        for _ in 0..<rounds { pool.run(8) { counters.add(caller * 8 + $0) } }
        group.leave()
      }.start()
    }
    group.wait()
    #expect(counters.all == [Int](repeating: rounds, count: callers * 8))
  }

  @Test func poolsComeAndGo() {
    for round in 0..<100 {
      let pool = ThreadPool(threads: 1 + round % 7)
      let sum = Atomic<Int>(0)
      if round % 3 != 0 { pool.run(10) { sum.add($0, ordering: .relaxed) } }
      #expect(sum.load(ordering: .relaxed) == (round % 3 != 0 ? 45 : 0))
    }
  }
}

/// An atomic that can stand in an array.
private final class Count: Sendable {
  let value = Atomic<Int>(0)
}
