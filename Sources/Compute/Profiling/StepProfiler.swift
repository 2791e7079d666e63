import Foundation

/// Sums up a training run for `--profile`: the steady steps' rate, what the machine could do, and where the time went.
public final class StepProfiler {
  /// Steps left out: they ask the system for memory, later ones use it again.
  public static let warmup = 2

  private let engine: Engine
  private let peakAtStart: Double
  private var steps = 0
  private var images = 0
  private var seconds: [Double] = []
  private var residentBytes = 0.0

  /// Measures the machine's rate, which takes a fraction of a second.
  /// - Parameter engine: a profiling one.
  public init(_ engine: Engine) {
    precondition(engine.profile != nil, "an engine that notes nothing")
    self.engine = engine
    peakAtStart = engine.measuredPeak()
  }

  /// To be called after each step.
  /// - Parameters:
  ///   - seconds: what the step took.
  ///   - images: the batch.
  public func note(_ seconds: Double, images: Int) {
    steps += 1
    self.images = images
    residentBytes = Self.peakResidentBytes
    if steps <= Self.warmup { engine.profile?.reset() } else { self.seconds.append(seconds) }
  }

  /// What to tell: a table with a row for each kind of operation, then one line with the rate of the median step.
  public func messages() -> [String] {
    guard !seconds.isEmpty, let profile = engine.profile else {
      return ["profile: of \(steps) steps the first \(Self.warmup) warm up, so there is nothing to tell"]
    }
    // Somebody else may have been at work the first time.
    let peak = max(peakAtStart, engine.measuredPeak())
    let entries = Operation.allCases.compactMap { kind in
      profile.entries[kind].map { (name: kind.rawValue, entry: $0) }
    }
    let table = ProfileTable(entries, steps: seconds.count, seconds: seconds.reduce(0, +), peak: peak)
    let sorted = seconds.sorted()
    let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    let flop = table.total.flop / Double(seconds.count)
    return [
      """
      profile of \(fixed(Double(seconds.count), 0)) steps in \(significant(table.total.seconds)) s after \(Self.warmup) to warm up; \
      threads: \(engine.threads.threads); kernels: \(engine.kernels); a large product in \(engine.precision.rawValue) reaches \
      \(significant(peak * 1e-9)) GFLOP/s, of which the median step has \(fixed(100 * flop / median / peak, 1))%

      """ + table.text,
      """
      profile: \(significant(Double(images) / median)) images/s, \(significant(median)) s and \(significant(flop * 1e-9)) GFLOP a step, \
      \(significant(flop / median * 1e-9)) GFLOP/s, peak memory \(fixed(residentBytes / 1_048_576, 0)) MiB
      """,
    ]
  }

  #if os(Linux)
    private static let thisProcess = RUSAGE_SELF.rawValue
  #else
    private static let thisProcess = RUSAGE_SELF
  #endif

  private static var peakResidentBytes: Double {
    var usage = rusage()
    getrusage(Self.thisProcess, &usage)
    #if os(Linux)
      return Double(usage.ru_maxrss) * 1024
    #else
      return Double(usage.ru_maxrss)
    #endif
  }
}
