import TensorStream

/// What a `features` stream says of itself: `features` f32 [n, width], with `index` and `label` as views have them.
public struct FeaturesHeader: Equatable, Sendable {
  /// The values of a row.
  public var width: Int
  /// How tokens became a feature: `class`, `mean` or `grid`.
  public var pool: String
  public var classes: [String]?
  /// What stands between the classes in a label's name, where a row has several; nil where it has one.
  public var labelSeparator: String?
  /// What of a set these are; nil for all.
  public var part: SetPart?

  public init(width: Int, pool: String, classes: [String]?) {
    (self.width, self.pool, self.classes) = (width, pool, classes)
  }

  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    width = try fields.required("width", of: "the features have")
    pool = fields.text("pool") ?? ""
    classes = try fields.value(MetadataKey.classes)
    labelSeparator = fields.text(MetadataKey.labelSeparator)
    part = try fields.text("part").map { text in
      guard let part = SetPart(text) else { throw Failure(.data, "\(source): part \(quoted(text)) cannot be") }
      return part
    }
  }

  /// The first record's metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    var metadata = try ClassNames.metadata(classes).merging(["width": String(width), "pool": pool]) { $1 }
    metadata["part"] = part?.text
    metadata[MetadataKey.labelSeparator] = labelSeparator
    return metadata
  }
}

/// The name of a features record's own tensor.
public enum FeatureTensors {
  /// f32 [n, width].
  public static let features = "features"
}
