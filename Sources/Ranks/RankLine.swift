/// What connects the processes of a run. `Ranks` makes of it what a run needs.
///
/// All ranks call the same functions in the same order. None of them returns an error: where an operation cannot come
/// to its end, the line ends the run with one message.
public protocol RankLine: AnyObject, Sendable {
  var rank: Int { get }
  var count: Int { get }
  /// Of each rank.
  var hosts: [String] { get }
  /// Seconds that an operation waits for another rank.
  var patience: Double { get set }

  /// The bytes of every rank, equally many of each, in the order of ranks.
  func gather(_ mine: UnsafeRawBufferPointer, into all: UnsafeMutableRawBufferPointer)

  /// Begins an exchange, and returns: block i of `from` goes to rank i, where it is block r of `to`; r is the rank that it came from. All
  /// ranks begin the same ones in the same order, at any time. At most `RankExchange.most` are underway.
  /// - Parameters:
  ///   - stride: values from a block of `from` to the next; those of `to` follow each other.
  ///   - block: values of a block.
  func beginExchange(_ from: UnsafePointer<Float>, stride: Int, block: Int, into to: UnsafeMutablePointer<Float>)

  /// The same of values of 16 bits, whose blocks follow each other.
  func beginExchange(_ from: UnsafePointer<UInt16>, block: Int, into to: UnsafeMutablePointer<UInt16>)

  /// Whether the oldest exchange that was begun is done. Once it said so, the next one is the oldest.
  /// - Parameter waits: until it is.
  func endExchange(waits: Bool) -> Bool

  /// Of two ranks each gets the other's bytes, equally many. Each says the other one, or itself.
  func swap(_ mine: UnsafeRawBufferPointer, with other: Int, into theirs: UnsafeMutableRawBufferPointer)

  /// Block i of every rank's own memory becomes what rank i has there.
  func gatherInPlace(_ all: UnsafeMutablePointer<Float>, block: Int)

  /// Rank 0's bytes become everybody's.
  func broadcast(_ bytes: UnsafeMutableRawBufferPointer)

  /// Ends the run of all ranks with one message.
  func fail(_ failure: RankFailure) -> Never

  /// Leaves the others in good order. All ranks do.
  func end()
}

/// How many exchanges may be underway.
public enum RankExchange { public static let most = 16 }

/// Why one rank cannot go on.
public struct RankFailure: Sendable {
  /// The exit status.
  public let status: Int32
  public let message: String

  public init(status: Int32, message: String) { (self.status, self.message) = (status, message) }
}
