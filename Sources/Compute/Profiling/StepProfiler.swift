import Foundation

/// Sums up a training run for `--profile`: the steady steps' rate, what the machine could do, and where the time went.
public final class StepProfiler {
  /// Steps that do not count: they ask the system for memory that later steps use again.
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

  /// What the steps so far took; nil where none came after those that warm up. It measures the machine's rate again.
  public func profile() -> StepProfile? {
    guard !seconds.isEmpty, let profile = engine.profile else { return nil }
    // Another process may have been at work the first time.
    let peak = max(peakAtStart, engine.measuredPeak())
    let all = seconds.reduce(0, +)
    var parts = Operation.allCases.compactMap { kind in
      profile.entries[kind].map { StepProfile.Part(kind.rawValue, $0) }
    }
    var rest = Profile.Entry()
    // Two clocks may differ by the time that it takes to read them.
    rest.seconds = max(0, all - parts.reduce(0) { $0 + $1.seconds })
    let flop = parts.reduce(0) { $0 + $1.gflop } / Double(seconds.count)
    parts.append(StepProfile.Part("all else", rest))
    let sorted = seconds.sorted()
    let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    return StepProfile(
      steps: seconds.count, warmupSteps: Self.warmup, threads: engine.threads.threads, kernels: engine.kernels,
      precision: engine.precision.rawValue, seconds: all, secondsPerStep: median,
      imagesPerSecond: Double(images) / median, gflopPerStep: flop, gflopPerSecond: flop / median,
      peakGflopPerSecond: peak * 1e-9, peakMemoryMib: residentBytes / 1_048_576, operations: parts)
  }

  /// The profile in both forms; where there is none, why, and no JSON.
  public func report() -> (messages: [String], json: String?) {
    guard let profile = profile() else {
      return (["profile: of \(steps) steps the first \(Self.warmup) warm up, so there is nothing to tell"], nil)
    }
    return (profile.messages, profile.json)
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
