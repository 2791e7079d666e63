import ArgumentParser
import Ranks
import TensorStream

/// `--deterministic-ranks`, `--wire` and `--timeout`, of a tool that trains on several ranks.
public struct RankOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Compute each batch in this many shards, so that any number of ranks that divides it gives the same bits (default: one for each rank).",
      valueName: "n"))
  public var deterministicRanks: Int?

  @Option(
    help: "How gradients go from rank to rank; bfloat16 takes half of the bytes, and rounds them.")
  public var wire = Ranks.Wire.float32

  @Option(
    help: ArgumentHelp("End the run where a rank was not heard of for so many seconds.", valueName: "seconds"))
  public var timeout = 600.0

  public init() {}

  public mutating func validate() throws {
    if let deterministicRanks, !(1...1 << 16).contains(deterministicRanks) {
      throw ValidationError("--deterministic-ranks is \(deterministicRanks): expected 1 to 65536")
    }
    if wire != .float32 && deterministicRanks != nil {
      throw ValidationError(
        "--wire \(wire) rounds what ranks send, which is other sums for other numbers of them: not with --deterministic-ranks"
      )
    }
    if !(timeout > 0 && timeout <= 1e6) {
      throw ValidationError("--timeout is \(timeout): expected more than 0 seconds, and at most a million")
    }
  }

  /// The ranks that a launcher started; a process alone where it started none.
  /// - Throws: `Failure(.usage)` where the shards cannot be shared by them.
  public func ranks() throws -> Ranks {
    guard let line = RankedProcess.line else { return Ranks(shards: deterministicRanks ?? 1) }
    line.patience = timeout
    return try Ranks(on: line, shards: deterministicRanks, wire: wire)
  }
}

extension Ranks.Wire: ExpressibleByArgument {}
