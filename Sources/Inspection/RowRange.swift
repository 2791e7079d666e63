/// Rows to print, counted from 0: `5`, `0-9` (both included), `100-` or `all`.
public struct RowRange: Sendable {
  public let first: Int
  /// nil: to the end.
  public let last: Int?

  public init(first: Int, last: Int?) {
    self.first = first
    self.last = last
  }

  /// As a command line has it.
  public init?(argument: String) {
    if argument == "all" {
      self.init(first: 0, last: nil)
      return
    }
    let parts = argument.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = Self.number(parts[0]) else { return nil }
    if parts.count == 1 {
      self.init(first: first, last: first)
    } else if parts[1].isEmpty {
      self.init(first: first, last: nil)
    } else {
      guard let last = Self.number(parts[1]), last >= first else { return nil }
      self.init(first: first, last: last)
    }
  }

  private static func number(_ text: Substring) -> Int? {
    text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }
}
