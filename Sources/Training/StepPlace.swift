/// Where a step is in its run. It is all that schedules and teachers' clocks know of time.
public struct StepPlace: Equatable, Sendable {
  /// Steps taken before it.
  public let step: Int
  public let stepsPerEpoch: Int
  /// Of the whole run.
  public let epochs: Int

  public init(step: Int, stepsPerEpoch: Int, epochs: Int) {
    (self.step, self.stepsPerEpoch, self.epochs) = (step, stepsPerEpoch, epochs)
  }

  /// The epoch that it belongs to, from 0.
  public var epoch: Int { step / stepsPerEpoch }
  /// Its number in that epoch, from 0.
  public var stepOfEpoch: Int { step % stepsPerEpoch }
  /// Steps of the whole run.
  public var steps: Int { epochs * stepsPerEpoch }
  /// Epochs taken before it, with their parts.
  public var epochsDone: Double { Double(step) / Double(stepsPerEpoch) }
  /// Whether it is the last of its epoch.
  public var endsEpoch: Bool { (step + 1) % stepsPerEpoch == 0 }
}
