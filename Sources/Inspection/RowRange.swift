import TensorStream

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

  /// Whether this many rows, of something that messages call `what`, are what was asked for.
  /// - Throws: `Failure(.data)` that names the first row that is not there.
  func require(within rows: Int, of what: String) throws {
    guard first > 0 || last != nil, max(first, last ?? 0) >= rows else { return }
    throw Failure(
      .data,
      "\(what) has \(counted(rows, "row")), counted from 0: there is no row "
        + grouped(first >= rows ? first : last ?? 0))
  }

  var rows: Range<Int> { first..<(last.map { min($0, .max - 1) + 1 } ?? .max) }

  private static func number(_ text: Substring) -> Int? {
    text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }
}
