import TensorStream

/// One of equal parts of a set, where several jobs do a part each: rows that follow each other.
///
///     let part = SetPart("1/4")!
///     print(part.range(of: 10))  // 2..<5
public struct SetPart: Equatable, Sendable {
  /// Its number, from 0.
  public let index: Int
  public let count: Int

  /// - Parameter text: `3/8`, the number and how many there are; nil where it is no such text.
  public init?(_ text: String) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1], 1...1 << 20 ~= count,
      (0..<count).contains(index)
    else { return nil }
    (self.index, self.count) = (index, count)
  }

  public var text: String { "\(index)/\(count)" }

  /// Its rows of so many.
  /// - Parameter chunk: rows that stay together.
  public func range(of rows: Int, chunk: Int = 1) -> Range<Int> {
    let chunks = (rows + chunk - 1) / chunk
    func end(_ parts: Int) -> Int { min(rows, parts * chunks / count * chunk) }
    return end(index)..<end(index + 1)
  }

  /// The same where none must be empty.
  /// - Parameters:
  ///   - unit: what a row is, and `source` whose they are, for a message.
  /// - Throws: `Failure(.data)` where it has no row.
  public func rows(of count: Int, chunk: Int = 1, unit: String = "row", source: String) throws -> Range<Int> {
    let rows = range(of: count, chunk: chunk)
    if rows.isEmpty {
      let most = counted((count + chunk - 1) / chunk, "part")
      throw Failure(
        .data,
        "\(source): part \(text) of \(counted(count, unit)) is empty: expected at most \(most)"
          + (chunk > 1 ? ", since \(chunk) \(unit)s stay together" : ""))
    }
    return rows
  }

  /// The places of parts, in the order of the parts; as they are where none is a part.
  /// - Parameter parts: with what a message calls each.
  /// - Throws: `Failure(.data)` where one is missing, comes twice, or is of another division.
  public static func order(_ parts: [(name: String, part: SetPart?)]) throws -> [Int] {
    guard let first = parts.first(where: { $0.part != nil }), let count = first.part?.count else {
      return Array(parts.indices)
    }
    var places = [Int?](repeating: nil, count: count)
    for (place, entry) in parts.enumerated() {
      guard let own = entry.part, own.count == count else {
        let found = entry.part.map { "is part \($0.text)" } ?? "is no part"
        throw Failure(.data, "\(entry.name): \(found), but \(first.name) is one of \(counted(count, "part"))")
      }
      if let other = places[own.index] {
        throw Failure(.data, "\(entry.name): is part \(own.text), as is \(parts[other].name)")
      }
      places[own.index] = place
    }
    return try places.enumerated().map { number, place in
      guard let place else {
        throw Failure(
          .data, "\(first.name): is one of \(counted(count, "part")), of which \(number)/\(count) is missing")
      }
      return place
    }
  }
}
