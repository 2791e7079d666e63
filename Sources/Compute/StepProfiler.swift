import Foundation

/// Sums up a training run for `--profile`: the steady steps' rate, what the machine could do, and where the time went.
public final class StepProfiler {
  /// Steps left out: they ask the system for memory, later ones use it again.
  public static let warmup = 2

  private let engine: Engine
  private let peak: Double
  private var steps = 0
  private var images = 0
  private var seconds: [Double] = []
  private var residentBytes = 0.0

  /// Measures the machine's rate, which takes a fraction of a second.
  public init(_ engine: Engine) {
    self.engine = engine
    peak = engine.measuredPeak()
    engine.profile?.reset()
  }

  /// To be called after each step.
  public func note(_ seconds: Double, images: Int) {
    steps += 1
    self.images = images
    residentBytes = Self.peakResidentBytes
    if steps == Self.warmup { engine.profile?.reset() }
    if steps > Self.warmup { self.seconds.append(seconds) }
  }

  /// A table, a row for each kind of operation, and a line that sums it up.
  public var report: String {
    guard !seconds.isEmpty, let profile = engine.profile else {
      return "\(steps) steps: the first \(Self.warmup) warm up, so there is nothing to tell"
    }
    let count = Double(seconds.count)
    let total = seconds.reduce(0, +)
    var rows: [(name: String, entry: Profile.Entry)] = Operation.allCases.compactMap { operation in
      profile.entries[operation].map { (operation.rawValue, $0) }
    }
    var rest = Profile.Entry()
    rest.seconds = max(0, total - rows.reduce(0) { $0 + $1.entry.seconds })
    rows.append(("all else", rest))
    let flop = rows.reduce(0) { $0 + $1.entry.flop } / count
    var lines = [
      "\(grouped(seconds.count)) steps in \(fixed(total, 1)) s after \(Self.warmup) to warm up; \(engine.threads.threads) threads, \(engine.kernels) kernels; a large matrix product reaches \(fixed(peak * 1e-9, 1)) GFLOP/s",
      "  operation                  calls/step    ms/step  share  GFLOP/step  GFLOP/s of peak   MB/step   GB/s   total s",
    ]
    for (name, entry) in rows {
      let rate = entry.flop / max(entry.seconds, 1e-9)
      let columns: [(String, Int)] = [
        (fixed(Double(entry.calls) / count, 0), 10), (fixed(1e3 * entry.seconds / count, 2), 10),
        (fixed(100 * entry.seconds / total, 1) + "%", 6),
        (entry.flop > 0 ? fixed(entry.flop / count * 1e-9, 2) : "-", 11),
        (entry.flop > 0 ? fixed(rate * 1e-9, 1) : "-", 8),
        (entry.flop > 0 ? fixed(100 * rate / peak, 0) + "%" : "-", 7),
        (fixed(entry.bytes / count * 1e-6, 1), 9), (fixed(entry.bytes / max(entry.seconds, 1e-9) * 1e-9, 1), 6),
        (fixed(entry.seconds, 2), 9),
      ]
      lines.append(
        "  " + name.padding(toLength: 26, withPad: " ", startingAt: 0)
          + columns.map { padded($0.0, $0.1) }.joined(separator: " "))
    }
    let sorted = seconds.sorted()
    let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    lines.append(
      "  GFLOP counts matrix products alone; MB the operands and results of each operation, once each; the whole step reaches \(fixed(100 * flop / median / peak, 1))% of the large product's rate"
    )
    return lines.joined(separator: "\n")
  }

  /// One line: the rate of the median step.
  public var summary: String {
    guard !seconds.isEmpty, let profile = engine.profile else { return "no steps after the first \(Self.warmup)" }
    let sorted = seconds.sorted()
    let median = (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    let flop = profile.entries.values.reduce(0) { $0 + $1.flop } / Double(seconds.count) * 1e-9
    return
      "\(fixed(Double(images) / median, 3)) images/s, \(fixed(median, 3)) s and \(fixed(flop, 1)) GFLOP a step, \(fixed(flop / median, 1)) GFLOP/s, peak memory \(grouped(Int(residentBytes / 1_048_576))) MiB"
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

  private func grouped(_ number: Int) -> String { fixed(Double(number), 0) }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// Digits after the point, commas between thousands.
  private func fixed(_ value: Double, _ digits: Int) -> String {
    let plain = String(format: "%.\(digits)f", value)
    let whole = plain.prefix { $0 != "." }
    var grouped = ""
    for (i, digit) in whole.enumerated() {
      if i > 0 && (whole.count - i) % 3 == 0 && whole.first != "-" { grouped += "," }
      grouped.append(digit)
    }
    return grouped + plain.dropFirst(whole.count)
  }
}
