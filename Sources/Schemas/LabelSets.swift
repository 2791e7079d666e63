import TensorStream

/// Pictures of several classes at once. A label then stands for a set of classes, and its name is their names with a
/// separator between: `cat|dog`. The separator alone is the set of none.
public struct LabelSets: Equatable, Sendable {
  /// The classes by name, in the order of their names; of their values, and then of their names, where all are whole numbers.
  public let names: [String]
  /// The places of each label's classes among the names, rising.
  public let members: [[Int]]

  /// - Parameters:
  ///   - labels: the name of each label.
  ///   - separator: not empty.
  public init(labels: [String], separator: String) {
    let sets = labels.map { Self.parts(of: $0, separator: separator) }
    let all = Set(sets.joined())
    let numbers = all.compactMap { Int($0) }
    let sorted = numbers.count == all.count ? all.sorted { (Int($0)!, $0) < (Int($1)!, $1) } : all.sorted()
    let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    names = sorted
    members = sets.map { set in Set(set.compactMap { places[$0] }).sorted() }
  }

  private init(names: [String], members: [[Int]]) { (self.names, self.members) = (names, members) }

  /// The same sets with classes at the places that a model has them.
  /// - Throws: `Failure(.data)` where the model has no class of a name, or no names.
  public func placed(among own: [String]?, of model: String, source: String) throws -> LabelSets {
    guard let own else {
      throw Failure(
        .data,
        "\(model): names no classes, so which of its outputs is \(quoted(names.first ?? "")) of \(source) is not known: "
          + "expected a model of pmae-finetune, or names in a config.json beside the weights (label_names)")
    }
    let places = Dictionary(own.enumerated().map { ($1, $0) }) { first, _ in first }
    let numbers = try names.map { name in
      guard let place = places[name] else {
        throw Failure(.data, "\(source): class \(quoted(name)) is none of those of \(model)")
      }
      return place
    }
    return LabelSets(names: own, members: members.map { set in set.map { numbers[$0] }.sorted() })
  }

  private static func parts(of label: String, separator: String) -> [String] {
    var (parts, rest) = ([Substring](), label[...])
    while let place = rest.firstRange(of: separator) {
      parts.append(rest[..<place.lowerBound])
      rest = rest[place.upperBound...]
    }
    return (parts + [rest]).map { part in
      var part = part
      while part.first?.isWhitespace == true { part.removeFirst() }
      while part.last?.isWhitespace == true { part.removeLast() }
      return String(part)
    }.filter { !$0.isEmpty }
  }
}

/// Throws where the labels of one stream are sets of classes and those of another are not, or have another separator.
public func requireSameSeparator(
  _ first: String?, of firstSource: String, _ second: String?, of secondSource: String
) throws {
  func text(_ separator: String?) -> String {
    separator.map { "sets of classes for labels, with \(quoted($0)) between" } ?? "one class for a label"
  }
  if first != second {
    throw Failure(.data, "\(secondSource): \(text(second)), but those of \(firstSource) have \(text(first))")
  }
}
