import COpenBLAS
import Foundation
import Parallel
import Ranks

/// What an operation runs on: the threads and the memory of one run, and the other processes that compute it.
///
///     let engine = Engine(threads: 2)
///     let sums = engine.memory.take(1000)
///     sums.withValues { values in
///       nonisolated(unsafe) let values = values
///       engine.rows(1000, cost: 1) { rows in
///         for row in rows { values[row] = Float(row) }
///       }
///     }
public final class Engine: Sendable {
  public let threads: ThreadPool
  public let memory: MemoryPool
  /// The processes that compute a batch together.
  public let ranks: Ranks
  /// Where the time goes; nil where nobody wants to know.
  public let profile: Profile?
  /// What a tape's matrices are multiplied in, unless it says otherwise.
  public let precision: Precision
  let multiplier: Multiplier
  private let wantedKernels: String?

  /// - Parameters:
  ///   - threads: at least 1.
  ///   - kernels: which matrix kernels to use, `avx512`, `avx2` or `openblas`; nil for the best that the machine has. What it
  ///     cannot run is passed over.
  ///   - precision: bfloat16 only where `BFloat16.unavailable` is nil.
  ///   - profiling: whether to note where the time goes.
  ///   - poisoning: whether memory that is let go of is filled with NaN: for tests.
  ///   - ranks: a process alone unless given.
  public init(
    threads: Int, kernels: String? = ProcessInfo.processInfo.environment["PMAE_KERNELS"],
    precision: Precision = .float32, profiling: Bool = false, poisoning: Bool = false, ranks: Ranks = Ranks()
  ) {
    // Tiles are shared out by the pool; inside a tile OpenBLAS stays on the thread that calls it.
    openblas_set_num_threads(1)
    self.threads = ThreadPool(threads: threads)
    memory = MemoryPool(poisoning: poisoning)
    multiplier = Multiplier(kernels: kernels)
    wantedKernels = kernels
    self.precision = precision
    self.ranks = ranks
    profile = profiling ? Profile() : nil
  }

  /// The matrix kernels in use: `avx512`, `avx2` or `openblas`.
  public var kernels: String { multiplier.name }
  /// Whether there are kernels of our own that multiply pairs of bfloat16.
  public var multipliesPairs: Bool { multiplier.pairs != nil }

  /// What a user should know before a long run on this processor: where it cannot do what was chosen, and what it does
  /// instead.
  public var notes: [String] {
    var notes: [String] = []
    if let wantedKernels, !wantedKernels.isEmpty, wantedKernels != kernels {
      notes.append("PMAE_KERNELS is \(wantedKernels), which cannot run here: \(kernels) is used")
    }
    if precision == .bfloat16 && BFloat16.isEmulated {
      notes.append(
        "this processor has no bfloat16 instructions: they are emulated, rightly but several times slower than float32")
    }
    return notes
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
    let memory = self.memory.take(max(stride * threads.threads, 1))
    threads.run(tasks) { task, worker in body(task, memory.pointer + worker * stride) }
  }
}
