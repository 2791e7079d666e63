import Foundation

/// What `StepProfiler` found of a run's steady steps. It has two forms: `messages` for people, and `json`.
public struct StepProfile: Encodable, Sendable {
  /// A kind of operation, all steps together.
  public struct Part: Encodable, Sendable {
    public let name: String
    public let calls: Int
    public let seconds: Double
    /// 10⁹ additions and multiplications of matrix products.
    public let gflop: Double
    /// 10⁹ bytes that have to be read and written at least.
    public let gigabytes: Double

    init(_ name: String, _ entry: Profile.Entry) {
      (self.name, calls, seconds) = (name, entry.calls, entry.seconds)
      (gflop, gigabytes) = (entry.flop * 1e-9, entry.bytes * 1e-9)
    }
  }

  /// Steps that count, and those before them that do not.
  public let steps: Int
  public let warmupSteps: Int
  public let threads: Int
  public let kernels: String
  public let precision: String
  /// All steps that count together.
  public let seconds: Double
  /// The median step.
  public let secondsPerStep: Double
  public let imagesPerSecond: Double
  public let gflopPerStep: Double
  public let gflopPerSecond: Double
  /// What one large product reaches.
  public let peakGflopPerSecond: Double
  /// The most memory that the process has had, in MiB.
  public let peakMemoryMib: Double
  /// A part a kind of operation, then what none of them covers.
  public let operations: [Part]

  enum CodingKeys: String, CodingKey {
    case steps, threads, kernels, precision, seconds, operations
    case warmupSteps = "warmup_steps"
    case secondsPerStep = "seconds_per_step"
    case imagesPerSecond = "images_per_second"
    case gflopPerStep = "gflop_per_step"
    case gflopPerSecond = "gflop_per_second"
    case peakGflopPerSecond = "peak_gflop_per_second"
    case peakMemoryMib = "peak_memory_mib"
  }

  /// The figures on one line, under the keys above.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Every field is text or a finite number: a step that counts has taken time.
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  /// What to tell: a table with a row for each kind of operation, then one line with the rate of the median step.
  public var messages: [String] {
    [
      """
      profile of \(fixed(Double(steps), 0)) steps in \(significant(seconds)) s after \(warmupSteps) to warm up; \
      threads: \(threads); kernels: \(kernels); a large product in \(precision) reaches \
      \(significant(peakGflopPerSecond)) GFLOP/s, of which the median step has \
      \(fixed(100 * gflopPerSecond / peakGflopPerSecond, 1))%

      """ + ProfileTable(self).text,
      """
      profile: \(significant(imagesPerSecond)) images/s, \(significant(secondsPerStep)) s and \
      \(significant(gflopPerStep)) GFLOP a step, \(significant(gflopPerSecond)) GFLOP/s, \
      peak memory \(fixed(peakMemoryMib, 0)) MiB
      """,
    ]
  }
}
