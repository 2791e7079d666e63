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
}

/// Throws where two lists of class names disagree about what a label means. A folder with one class fewer numbers all
/// classes after it differently, and nothing else would show that a result is wrong.
///
/// A name that is its own number (what pmae-pack calls the classes of unnamed IDX labels) agrees with any, and one list
/// may be longer than the other.
public func requireSameClasses(
  _ first: [String]?, of firstSource: String, _ second: [String]?, of secondSource: String
) throws {
  for (label, (a, b)) in zip(first ?? [], second ?? []).enumerated() where a != b {
    if a == String(label) || b == String(label) { continue }
    throw Failure(
      .data, "\(secondSource): class \(label) is \"\(b)\", but that of \(firstSource) is \"\(a)\"")
  }
}
