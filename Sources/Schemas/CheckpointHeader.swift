import TensorStream

/// What a `checkpoint` says of its run.
public struct CheckpointHeader: Sendable {
  /// The run's configuration, as JSON.
  public var config: String
  /// Steps taken.
  public var step: Int
  /// What the run's views said of themselves, by the names that a message calls it (`ViewsHeader.identity`).
  public var views: [String: String]
  /// Of the views.
  public var classes: [String]?
  /// In how many shards a batch was computed, which rounding depends on.
  public var shards: Int

  public init(config: String, step: Int, views: [String: String], classes: [String]?, shards: Int = 1) {
    (self.config, self.step, self.views, self.classes, self.shards) = (config, step, views, classes, shards)
  }

  /// - Throws: `Failure(.data)` where the configuration or the step is missing.
  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    guard let config = fields.text(MetadataKey.config), let step = fields.text("step").flatMap({ Int($0) }), step >= 0
    else { throw Failure(.data, "\(source): a checkpoint without its configuration or step") }
    self.config = config
    self.step = step
    classes = try fields.value(MetadataKey.classes)
    shards = try fields.value("shards") ?? 1
    views = try fields.value("views") ?? [:]
    // Earlier versions said only these of the views. All versions write them, for programs that read the weights alone.
    for key in ["rows_per_epoch", MetadataKey.mean, MetadataKey.std] where views[key] == nil {
      views[key] = fields.text(key)
    }
  }

  /// Rows of an epoch of the views; nil where it does not say.
  public var rowsPerEpoch: Int? { views["rows_per_epoch"].flatMap { Int($0) } }

  /// The metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    var metadata = [MetadataKey.config: config, "step": String(step), "views": try JSONText.encode(views)]
    for key in ["rows_per_epoch", MetadataKey.mean, MetadataKey.std] { metadata[key] = views[key] }
    if shards > 1 { metadata["shards"] = String(shards) }
    metadata.merge(try ClassNames.metadata(classes)) { $1 }
    return metadata
  }

  /// How other views differ from those of the run, each difference as `seed of the views 2, not 1`. A value that only
  /// one of the two has is no difference, since earlier versions say less.
  public func differences(from other: [String: String]) -> [String] {
    other.sorted { $0.key < $1.key }.compactMap { key, value in
      guard let mine = views[key], !Self.isSame(mine, value) else { return nil }
      return "\(key) of the views \(value), not \(mine)"
    }
  }

  /// Two lists of numbers are the same where they are equal in float32, which networks compute with. Files have more
  /// digits or fewer.
  private static func isSame(_ a: String, _ b: String) -> Bool {
    if a == b { return true }
    func numbers(_ text: String) -> [Float]? { try? JSONText.decode([Float].self, from: text, what: "") }
    guard let first = numbers(a), let second = numbers(b) else { return false }
    return first == second
  }
}
