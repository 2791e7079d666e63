import TensorStream

/// The names of classes, by label: the metadata `classes` of images, views, weights, features and checkpoints.
public enum ClassNames {
  /// nil where a record names none.
  /// - Throws: `Failure(.data)` where what it has is no list of names.
  public static func of(_ record: Record, source: String) throws -> [String]? {
    try MetadataFields(record, source: source).value(MetadataKey.classes)
  }

  /// The key with these names; nothing for nil.
  public static func metadata(_ names: [String]?) throws -> [String: String] {
    try names.map { [MetadataKey.classes: try JSONText.encode($0)] } ?? [:]
  }

  /// One list of two that agree, as `requireSameClasses` has it: as long as the longer, and of each class the name that is not just
  /// its number, where there is one. nil where neither names any.
  public static func merged(_ first: [String]?, _ second: [String]?) -> [String]? {
    guard let first, let second else { return first ?? second }
    return (0..<max(first.count, second.count)).map { label in
      let own = label < first.count ? first[label] : String(label)
      return own == String(label) && label < second.count ? second[label] : own
    }
  }

  /// What a label is called: its class's name, or its number where it has none; nil below 0, where it is not known.
  public static func text(_ label: Int32, in names: [String]?) -> String? {
    if label < 0 { return nil }
    guard let names, Int(label) < names.count else { return String(label) }
    return names[Int(label)]
  }
}

/// Throws where two lists of class names disagree about what a label means. A folder with one class fewer numbers all
/// classes after it differently, and nothing else would show that a result is wrong.
///
/// A name that is its own number (what pmae-pack calls the classes of unnamed IDX labels) agrees with any that is no number,
/// and one list may be longer than the other. Of two lists of numbers one has other places for them.
/// - Parameter option: of pmae-pack, which names classes.
public func requireSameClasses(
  _ first: [String]?, of firstSource: String, _ second: [String]?, of secondSource: String,
  option: String = "--class-names"
) throws {
  for (label, (a, b)) in zip(first ?? [], second ?? []).enumerated() where a != b {
    if a == String(label) && Double(b) == nil || b == String(label) && Double(a) == nil { continue }
    throw Failure(
      .data,
      "\(secondSource): class \(label) is \(quoted(b)), but that of \(firstSource) is \(quoted(a)): pack both with the same "
        + "classes (pmae-pack \(option))")
  }
}
