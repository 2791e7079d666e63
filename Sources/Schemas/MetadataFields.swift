import TensorStream

/// A record's metadata by key. Every value is a string; a structure is its JSON. Errors name the file and the key.
struct MetadataFields {
  private let values: [String: String]
  let source: String

  init(_ record: Record, source: String) { self.init(record.metadata, source: source) }

  init(_ values: [String: String], source: String) {
    self.values = values
    self.source = source
  }

  func text(_ key: String) -> String? { values[key] }

  /// The value that a key's JSON holds; nil where the key is absent.
  /// - Throws: `Failure(.data)` where it holds something else.
  func value<T: Decodable>(_ key: String, _ type: T.Type = T.self) throws -> T? {
    try values[key].map { try JSONText.decode(type, from: $0, what: "\(source): metadata \"\(key)\"") }
  }

  /// - Parameter owner: what lacks the key, for the message: "the views have".
  func required<T: Decodable>(_ key: String, of owner: String) throws -> T {
    guard let value = try value(key, T.self) else { throw Failure(.data, "\(source): \(owner) no \"\(key)\"") }
    return value
  }
}

/// Keys that several kinds of streams have.
enum MetadataKey {
  static let kind = "kind"
  static let classes = "classes"
  static let maskClasses = "mask_classes"
  static let maskColours = "mask_colours"
  static let labelSeparator = "label_separator"
  static let mean = "mean"
  static let std = "std"
  static let config = "config"
  static let madeBy = "made_by"
  static let madeFrom = "made_from"
  static let changes = "changes"
}

extension Record {
  /// `kind`, as the record has it.
  public var kindText: String? { metadata[MetadataKey.kind] }
}
