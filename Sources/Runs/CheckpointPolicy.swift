/// When a run writes checkpoints, beside those at the ends of epochs, and which of them it keeps.
public struct CheckpointPolicy: Equatable, Sendable {
  public enum Interval: Equatable, Sendable {
    case steps(Int)
    case seconds(Double)
  }

  public var interval = Interval.seconds(600)
  /// How many of the last are kept, the newest included.
  public var keep = 2
  /// Every so many epochs the one at the epoch's end is kept for good.
  public var keepEvery: Int?

  public init() {}
}
