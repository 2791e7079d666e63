import ArgumentParser
import Runs
import TensorStream

/// `--checkpoint-every`, `--keep` and `--keep-every`.
public struct CheckpointOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Write a checkpoint this often, besides those at the ends of epochs: steps, as 500, or time, as 90s, 10m, 2h (default: 10m).",
      valueName: "interval"))
  public var checkpointEvery: CheckpointInterval?

  @Option(help: ArgumentHelp("How many of the last checkpoints to keep.", valueName: "n"))
  public var keep = 2

  @Option(help: ArgumentHelp("Keep for good the checkpoint at the end of every so many epochs.", valueName: "epochs"))
  public var keepEvery: Int?

  public init() {}

  public mutating func validate() throws {
    if keep < 1 { throw ValidationError("--keep is \(keep): expected 1 or more") }
    if let keepEvery, !(1...1 << 31).contains(keepEvery) {
      throw ValidationError("--keep-every is \(keepEvery): expected 1 to \(1 << 31)")
    }
  }

  /// Whether one of them was given.
  public var isGiven: Bool { checkpointEvery != nil || keep != 2 || keepEvery != nil }

  public var policy: CheckpointPolicy {
    var policy = CheckpointPolicy()
    if let checkpointEvery { policy.interval = checkpointEvery.interval }
    policy.keep = keep
    policy.keepEvery = keepEvery
    return policy
  }
}

/// Steps, or a time with its unit.
public struct CheckpointInterval: ExpressibleByArgument, Sendable {
  public let interval: CheckpointPolicy.Interval

  public init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    if let unit = argument.last.flatMap({ units[$0] }) {
      guard let number = Double(argument.dropLast()), number > 0, number * unit < 1e9 else { return nil }
      interval = .seconds(number * unit)
    } else {
      guard let steps = Int(argument), steps > 0 else { return nil }
      interval = .steps(steps)
    }
  }
}
