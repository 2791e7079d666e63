import Compute
import Foundation
import Parallel
import Synchronization
import Testing

/// How a pool divides its memory: blocks apart, free neighbours merged, little lost between them.
struct ArenaTests {
  /// What a borrower sees: memory of its own, that keeps what it writes.
  @Test(arguments: [1, 2, 3]) func randomRequestsGetMemoryOfTheirOwn(seed: UInt64) {
    let pool = MemoryPool()
    var random = CounterRandom(seed: seed, epoch: 0, sample: 0, purpose: 1)
    var held: [(buffer: Buffer, mark: Float)] = []
    var (live, peak) = (0, 0)
    for round in 0..<4000 {
      // Waves, so that the pool also runs nearly empty.
      let wanted = round / 500 % 2 == 0 ? 3 : 1
      if held.isEmpty || random.below(4) < wanted {
        let buffer = pool.take(random.below(random.below(8) == 0 ? 40_000 : 700))
        #expect(UInt(bitPattern: buffer.address) % 64 == 0)
        buffer.withValues { $0.update(repeating: Float(round)) }
        held.append((buffer, Float(round)))
        live += padded(buffer.count)
        peak = max(peak, live)
      } else {
        let (buffer, mark) = held.remove(at: random.below(held.count))
        #expect(buffer.array.allSatisfy { $0 == mark }, "block of \(buffer.count) values, round \(round)")
        live -= padded(buffer.count)
      }
      if round % 500 == 0 { expectApart(held.map(\.buffer)) }
      #expect(pool.bytes >= peak)
    }
    for (buffer, mark) in held { #expect(buffer.array.allSatisfy { $0 == mark }) }
  }

  private func expectApart(_ buffers: [Buffer]) {
    let sorted = buffers.sorted { $0.address < $1.address }
    for (a, b) in zip(sorted, sorted.dropFirst()) { #expect(a.address + a.count <= b.address) }
  }

  /// In whichever order neighbours come back.
  @Test(arguments: [1, 2, 3, 4]) func allThatWasGivenBackIsOneBlock(seed: UInt64) {
    let pool = MemoryPool()
    var random = CounterRandom(seed: seed, epoch: 0, sample: 0, purpose: 2)
    var held = (0..<200).map { _ in pool.take(1 + random.below(20_000)) }
    let bytes = pool.bytes
    let start = held.map(\.address).min()!
    while !held.isEmpty { held.remove(at: random.below(held.count)) }
    let whole = pool.take(bytes / 4)
    #expect(pool.bytes == bytes && whole.address == start)
  }

  /// The free end of what was lent is the beginning of a larger block.
  @Test func aBlockGrowsFromTheFreeEnd() {
    let pool = MemoryPool()
    let kept = pool.take(160)
    var end: Buffer? = pool.take(1600)
    let start = end!.address
    end = nil
    let larger = pool.take(16_000)
    #expect(larger.address == start && pool.bytes == 4 * (160 + 16_000))
    #expect(kept.address + 160 == start)
  }

  @Test func theSmallestHoleThatFitsIsTakenAndOfEqualOnesTheFirst() {
    let pool = MemoryPool()
    let sizes = [3200, 16, 1600, 16, 800, 16, 1600, 16]
    var held: [Buffer?] = sizes.map { pool.take($0) }
    let starts = held.map { $0!.address }
    for place in [0, 6, 4, 2] { held[place] = nil }
    let taken = [1600, 1600, 801, 800].map { pool.take($0) }
    #expect(taken.map(\.address) == [2, 6, 0, 4].map { starts[$0] })
    #expect(pool.bytes == 4 * sizes.reduce(0, +))
    #expect(held.compactMap { $0 }.count == 4, "lent all the while")
  }

  /// More than the first regions hold, and a block larger than any of them. Nothing is touched but single values.
  @Test func largeBlocksGetRegionsOfTheirOwn() {
    let pool = MemoryPool()
    let sizes = [1 << 20, 40 << 20, 3, 200 << 20, 10 << 20]
    var held = sizes.map { pool.take($0) }
    expectApart(held)
    for (place, buffer) in held.enumerated() { buffer[buffer.count - 1] = Float(place) }
    for (place, buffer) in held.enumerated() { #expect(buffer[buffer.count - 1] == Float(place)) }
    #expect(pool.bytes == sizes.map(padded).reduce(0, +))
    held = []
    let bytes = pool.bytes
    held = sizes.sorted(by: >).map { pool.take($0) }
    #expect(pool.bytes == bytes)
  }

  /// Steps of a ViT-S as the tape makes them: what the forward pass keeps, the backward pass uses up, between them scratch
  /// memory and gradients that stay until the optimiser has run.
  @Test(arguments: [(384, 12, 32 * 197), (128, 4, 128 * 17), (192, 12, 1700)])
  func aTransformersStepsTakeLittleMoreThanIsLive(width: Int, depth: Int, tokens: Int) {
    var trace = Trace()
    var random = CounterRandom(seed: 1, epoch: 0, sample: 0, purpose: 3)
    let shapes = [3 * width * width, 3 * width, width * width, width, 4 * width * width, 4 * width, 4 * width * width]
    // Weights, the optimiser's two moments, a teacher's weights.
    for size in shapes { for _ in 0..<4 * depth { _ = trace.take(size) } }
    var bytes: [Int] = []
    for _ in 0..<12 {
      var kept: [(rows: Int, lent: [Int])] = []
      var gradients: [Int] = []
      for _ in 0..<depth {
        // Drop path: some samples pass the block by.
        let rows = tokens - random.below(tokens / 10)
        let (norm, statistics, values) = (trace.take(rows * width), trace.take(2 * rows), trace.take(rows * 3 * width))
        trace.give(trace.take(3 * width * width))
        let (attended, out) = (trace.take(rows * width), trace.take(tokens * width))
        trace.give(norm)
        let (hidden, active) = (trace.take(rows * 4 * width), trace.take(rows * 4 * width))
        trace.give(trace.take(4 * width * width))
        trace.give(active)
        kept.append((rows, [statistics, values, attended, out, hidden]))
      }
      for (rows, layer) in kept.reversed() {
        let (active, inner) = (trace.take(rows * 4 * width), trace.take(rows * 4 * width))
        gradients += [trace.take(4 * width * width), trace.take(4 * width), trace.take(4 * width * width)]
        trace.give(active, layer[4])
        let values = trace.take(rows * 3 * width)
        trace.give(inner)
        gradients += [trace.take(3 * width * width), trace.take(3 * width), trace.take(width * width)]
        trace.give(values, layer[3], layer[2], layer[1], layer[0])
      }
      for gradient in gradients { trace.give(gradient) }
      bytes.append(trace.pool.bytes)
    }
    #expect(Double(trace.pool.bytes) <= 1.1 * Double(trace.peak), "\(bytes) bytes, \(trace.peak) live at most")
  }

  /// A pool that holds what it lends, and counts it.
  private struct Trace {
    let pool = MemoryPool()
    private var lent: [Int: Buffer] = [:]
    private var number = 0
    private var live = 0
    private(set) var peak = 0

    mutating func take(_ count: Int) -> Int {
      live += 4 * count
      peak = max(peak, live)
      number += 1
      lent[number] = pool.take(count)
      return number
    }

    mutating func give(_ numbers: Int...) {
      for number in numbers { live -= 4 * lent.removeValue(forKey: number)!.count }
    }
  }

  @Test func theSameRequestsGetTheSamePlaces() {
    func places() -> [Int] {
      let pool = MemoryPool()
      let base = pool.take(1)
      var random = CounterRandom(seed: 5, epoch: 0, sample: 0, purpose: 4)
      var held: [Buffer] = []
      return (0..<1000).map { _ in
        if held.count > 20 { held.remove(at: random.below(held.count)) }
        held.append(pool.take(random.below(5000)))
        return held.last!.address - base.address
      }
    }
    #expect(places() == places())
  }

  @Test func threadsShareAPool() {
    let pool = MemoryPool()
    let wrong = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      var random = CounterRandom(seed: 6, epoch: 0, sample: thread, purpose: 5)
      var held: [Buffer] = []
      for _ in 0..<2000 {
        if held.count > 10 {
          let buffer = held.remove(at: random.below(held.count))
          if !buffer.array.allSatisfy({ $0 == Float(thread) }) { wrong.withLock { $0 += 1 } }
        }
        held.append(pool.take(random.below(600)))
        held.last!.withValues { $0.update(repeating: Float(thread)) }
      }
    }
    #expect(wrong.withLock { $0 } == 0)
    let bytes = pool.bytes
    #expect(pool.take(bytes / 4).count == bytes / 4)
    #expect(pool.bytes == bytes, "all was given back and merged")
  }
}

/// Bytes of a block for `count` values.
private func padded(_ count: Int) -> Int { (max(count, 1) * 4 + 63) / 64 * 64 }
