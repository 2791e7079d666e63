import COpenBLAS

/// What an operation runs on: the threads and the memory of one run.
public final class Engine: Sendable {
  public let threads: ThreadPool
  public let memory: MemoryPool

  /// - Parameter threads: at least 1.
  public init(threads: Int) {
    // Tiles are shared out by the pool; inside a tile OpenBLAS stays on the thread that calls it.
    openblas_set_num_threads(1)
    self.threads = ThreadPool(threads: threads)
    memory = MemoryPool()
  }

  /// Runs `body` over blocks of rows. The blocks depend on the counts alone, never on the threads.
  /// - Parameters:
  ///   - rows: how many rows there are.
  ///   - cost: values touched a row, to choose a block that is worth handing out.
  public func rows(_ rows: Int, cost: Int, _ body: (Range<Int>) -> Void) {
    let block = max(1, 16384 / max(cost, 1))
    let blocks = (rows + block - 1) / block
    threads.run(blocks) { index in body(index * block..<min(rows, (index + 1) * block)) }
  }

  /// Runs `tasks` tasks, each with scratch memory of `scratch` values that no other task touches meanwhile.
  public func run(_ tasks: Int, scratch: Int, _ body: (_ task: Int, _ scratch: UnsafeMutablePointer<Float>) -> Void) {
    let stride = (scratch + 15) / 16 * 16
    let memory = self.memory.take(stride * threads.threads)
    threads.run(tasks) { task, worker in body(task, memory.pointer + worker * stride) }
  }
}
