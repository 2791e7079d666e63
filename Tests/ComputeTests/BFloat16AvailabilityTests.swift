import Compute
import Foundation
import Testing

/// What is said where there is no bfloat16, and that oneDNN keeps to the thread that calls it. Each in a process of its own,
/// since oneDNN reads its environment once and other tests start threads.
struct BFloat16AvailabilityTests {
  #if OneDNN
    @Test func aProcessorWithoutAVX512HasNone() async {
      await #expect(processExitsWith: .success) {
        setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1)
        try require(BFloat16.unavailable?.contains("AVX-512") == true)
        try require(!BFloat16.isEmulated)
      }
    }

    @Test(.enabled(if: BFloat16.unavailable == nil))
    func aProcessorWithAVX512AloneEmulatesIt() async {
      await #expect(processExitsWith: .success) {
        setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", 1)
        try require(BFloat16.unavailable == nil && BFloat16.isEmulated)
        let engine = Engine(threads: 1)
        let shape = MatrixMultiplyTests.Shape(rows: 40, columns: 70, inner: 90)
        let product = BFloat16Product(engine, shape, .right)
        let c = MatrixMultiplyTests.Padded(engine, shape.rows, shape.columns, pad: 0, seed: 3)
        multiplyHere(product.a.matrix, product.b.matrix, into: c.matrix, transposing: .right)
        try require(product.worst(c: { c[$0, $1] }) <= 1)
      }
    }

    @Test(.enabled(if: BFloat16.unavailable == nil))
    func noThreadIsAddedToThePool() async {
      await #expect(processExitsWith: .success) {
        let engine = Engine(threads: 2)
        let product = BFloat16Product(engine, .init(rows: 400, columns: 384, inner: 384), .right)
        let c = MatrixMultiplyTests.Padded(engine, 400, 384, pad: 0, seed: 3)
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let before = try threads()
        engine.threads.run(8) { task in
          let rows = task * 50..<(task + 1) * 50
          multiplyHere(product.a.matrix.rows(rows), product.b.matrix, into: c.matrix.rows(rows), transposing: .right)
        }
        multiplyHere(product.a.matrix, product.b.matrix, into: c.matrix, transposing: .right)
        try require(try threads() == before)
      }
    }

    struct Unmet: Error {}
  #else
    @Test func aBuildWithoutItSaysSo() {
      #expect(BFloat16.unavailable?.contains("--disable-default-traits") == true)
      #expect(!BFloat16.isEmulated)
    }
  #endif
}

#if OneDNN
  private func require(_ holds: @autoclosure () throws -> Bool) throws {
    if !(try holds()) { throw BFloat16AvailabilityTests.Unmet() }
  }
#endif
