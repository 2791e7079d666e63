import Dispatch

/// Kinds of operation that a profile tells apart.
public enum Operation: String, CaseIterable, Sendable {
  case input = "input and masks"
  case tokens = "patches and tokens"
  case norm = "norms"
  case normBackward = "norms, backward"
  case linear = "linear layers"
  case linearBackward = "linear layers, backward"
  case attention = "attention"
  case attentionBackward = "attention, backward"
  case convolution = "convolutions"
  case convolutionBackward = "convolutions, backward"
  case maps = "resizing and pooling"
  case losses = "losses"
  case labels = "labels and matching"
  case optimizer = "optimizer"
  case teachers = "teachers' averages"
}

/// Where the time of a run goes, by kind of operation. Used by the thread that starts operations alone.
public final class Profile: @unchecked Sendable {
  public struct Entry: Sendable {
    public var seconds = 0.0
    /// Multiplications and additions, two for each pair.
    public var flop = 0.0
    /// What the operation has to read and write at least: each of its operands and results once.
    public var bytes = 0.0
    public var calls = 0
  }

  public private(set) var entries: [Operation: Entry] = [:]

  /// Forgets everything so far, such as the first steps, which allocate.
  public func reset() { entries = [:] }

  fileprivate func add(_ operation: Operation, _ seconds: Double, flop: Double, bytes: Double) {
    entries[operation, default: Entry()].seconds += seconds
    entries[operation, default: Entry()].flop += flop
    entries[operation, default: Entry()].bytes += bytes
    entries[operation, default: Entry()].calls += 1
  }
}

extension Engine {
  /// Runs an operation, and notes its time where a profile is wanted.
  /// - Parameters:
  ///   - flop: multiplications and additions of matrix products.
  ///   - values: float32 values read and written; two of bfloat16 are one.
  @inline(__always)
  public func measure<Result>(
    _ operation: Operation, flop: Int = 0, values: Int = 0, _ body: () throws -> Result
  ) rethrows -> Result {
    guard let profile else { return try body() }
    let start = DispatchTime.now().uptimeNanoseconds
    defer {
      let seconds = Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9
      profile.add(operation, seconds, flop: Double(flop), bytes: 4 * Double(values))
    }
    return try body()
  }

  /// `rows`, as an operation of a kind.
  /// - Parameter values: float32 values read and written; two of bfloat16 are one.
  public func rows(_ rows: Int, cost: Int, as operation: Operation, values: Int, _ body: (Range<Int>) -> Void) {
    measure(operation, values: values) { self.rows(rows, cost: cost, body) }
  }

  /// The rate of a large product by the same kernels in the same precision on as many threads, in FLOP a second: what a step is
  /// compared with. It is measured on an engine of its own, so that the memory it takes is given back.
  public func measuredPeak() -> Double {
    Engine(threads: threads.threads, kernels: kernels, precision: precision).productRate()
  }

  private func productRate() -> Double {
    let (rows, columns, inner) = (1600, 3072, 768)
    let (a, b, c) = (memory.take(rows * inner), memory.take(columns * inner), memory.take(rows * columns))
    for factor in [a, b] { factor.withValues { $0.update(repeating: 1) } }
    var best = Double.infinity
    for _ in 0..<8 {
      let start = DispatchTime.now().uptimeNanoseconds
      multiply(
        a.matrix(rows: rows, columns: inner), b.matrix(rows: columns, columns: inner),
        into: c.matrix(rows: rows, columns: columns), transposing: .right, precision: precision)
      best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
    return Double(2 * rows * columns * inner) / best
  }
}
