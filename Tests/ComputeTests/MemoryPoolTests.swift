import CKernels
import Compute
import Testing

/// Memory is lent, used again, and in a steady state never asked for.
struct MemoryPoolTests {
  @Test func whatWasGivenBackIsLentAgain() {
    let pool = MemoryPool()
    #expect(pool.bytes == 0)
    var first: Buffer? = pool.take(1000)
    let address = first!.address
    let bytes = pool.bytes
    #expect(bytes >= 4000 && bytes < 4000 + 64)
    let second = pool.take(1000)
    #expect(second.address != address, "still lent")
    first = nil
    // A smaller request takes the block too, and what it leaves serves another.
    let third = pool.take(600)
    let fourth = pool.take(380)
    #expect(third.address == address && third.count == 600)
    #expect(fourth.address > address && fourth.address < second.address)
    #expect(pool.bytes == 2 * bytes)
  }

  @Test func buffersAreAlignedApartAndWritable() {
    let pool = MemoryPool()
    let counts = [0, 1, 15, 16, 17, 63, 64, 65, 1000, 4097, 600_000]
    let buffers = counts.map { pool.take($0) }
    for (place, buffer) in buffers.enumerated() {
      #expect(buffer.count == counts[place])
      #expect(UInt(bitPattern: buffer.address) % 64 == 0)
      buffer.withValues { $0.update(repeating: Float(place)) }
    }
    for (place, buffer) in buffers.enumerated() { #expect(buffer.array.allSatisfy { $0 == Float(place) }) }
    buffers[9].zero()
    #expect(buffers[9].array.allSatisfy { $0 == 0 })
  }

  /// Steps whose requests vary a little, as drop path makes them, settle on the blocks of the first few.
  @Test func aSteadyStepAsksTheSystemForNothing() {
    let pool = MemoryPool()
    func step(_ wobble: Int) {
      var held: [Buffer] = []
      for size in [100, 5000, 5000, 70_000] { held.append(pool.take(size + wobble)) }
      held.removeFirst(2)
      for size in [300, 5000] { held.append(pool.take(size + wobble)) }
    }
    for wobble in 0..<4 { step(wobble) }
    let bytes = pool.bytes
    for round in 0..<100 { step(round % 4) }
    #expect(pool.bytes == bytes)
  }

  @Test func buffersOutliveTheNameOfTheirPool() {
    var pool: MemoryPool? = MemoryPool()
    let buffer = pool!.take(100)
    pool = nil
    buffer.withValues { $0.update(repeating: 3) }
    #expect(buffer.array.reduce(0, +) == 300)
  }

  /// A pointer that is kept for longer than its memory is lent: AddressSanitizer ends the process, `pipelines/test.mk sanitize`.
  @Test(.enabled(if: pmae_has_address_sanitizer() != 0)) func useOfMemoryThatWasLetGoOfIsCaught() async {
    await #expect(processExitsWith: .success) {
      let buffer = MemoryPool().take(1000)
      buffer.zero()
      print(buffer.withValues { $0[500] })
    }
    await #expect(processExitsWith: .failure) {
      let pool = MemoryPool()
      var buffer: Buffer? = pool.take(1000)
      buffer!.zero()
      let kept = buffer!.withValues { $0 }
      buffer = nil
      print(kept[500])
    }
  }

  @Test func memoryThatWasLetGoOfIsNaNWherePoisoned() {
    let pool = MemoryPool(poisoning: true)
    var buffer: Buffer? = pool.take(1000)
    buffer!.zero()
    buffer = nil
    #expect(pool.take(1000).array.allSatisfy { $0.isNaN })
  }

  @Test func scratchMemoryBelongsToOneTaskAtATime() {
    let engine = Engine(threads: 5)
    let length = 37
    var wrong = [Int](repeating: 0, count: 200)
    wrong.withUnsafeMutableBufferPointer { wrong in
      let wrong = wrong
      engine.run(200, scratch: length) { task, scratch in
        for i in 0..<length { scratch[i] = Float(task) }
        // A nested run has scratch of its own.
        engine.run(3, scratch: length) { _, inner in for i in 0..<length { inner[i] = -1 } }
        for i in 0..<length where scratch[i] != Float(task) { wrong[task] += 1 }
      }
    }
    #expect(wrong.allSatisfy { $0 == 0 })
  }
}
