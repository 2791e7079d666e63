import ArgumentParser
import Schemas
import TensorStream

/// `--part`: what one of several jobs does of a set.
public struct SetPartOption: ParsableArguments {
  @Option(
    name: .customLong("part"),
    help: ArgumentHelp(
      "Take one of equal parts alone, as 3/8, counted from 0: what one of several jobs does.",
      valueName: "number/parts"))
  public var text: String?

  public init() {}

  public mutating func validate() throws {
    if let text, part == nil {
      throw ValidationError("--part is \(text): expected NUMBER/PARTS, as 0/2 and 1/2")
    }
  }

  public var part: SetPart? { text.flatMap { SetPart($0) } }

  /// The part's rows of so many; all where no part is asked for.
  /// - Parameters:
  ///   - chunk: rows that stay together.
  ///   - source: whose rows they are, for a message.
  /// - Throws: `Failure(.data)` where it has none.
  public func rows(of count: Int, chunk: Int = 1, source: String) throws -> Range<Int> {
    try part?.rows(of: count, chunk: chunk, source: source) ?? 0..<count
  }
}
