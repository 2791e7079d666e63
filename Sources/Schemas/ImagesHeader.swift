import TensorStream

/// What an `images` stream says of its pictures. The keys that pmae-pack knows only at the end are in the end record. A
/// reader finds them with the first record's once it has read the stream, or opened it by its seek table.
public struct ImagesHeader: Equatable, Sendable {
  /// The size of decoded pictures, `pixels` u8 [n, height, width, channels]; nil for files as they came.
  public struct Shape: Equatable, Sendable {
    public var height: Int
    public var width: Int
    /// 1 or 3.
    public var channels: Int

    public init(height: Int, width: Int, channels: Int) {
      (self.height, self.width, self.channels) = (height, width, channels)
    }
  }

  /// A picture that was left out.
  public struct Skipped: Codable, Equatable, Sendable {
    public let path: String
    public let why: String

    public init(path: String, why: String) { (self.path, self.why) = (path, why) }
  }

  /// Names of the classes; nil for pictures without labels.
  public var classes: [String]?
  /// What stands between the classes in a label's name; nil where a picture has one class. See `LabelSets`.
  public var labelSeparator: String?
  public var shape: Shape?
  /// Of the pictures' masks; nil for pictures without masks.
  public var masks: MaskClasses?
  /// 1 where every picture is grey and shall stay so, also of files as they came; nil where nothing is said.
  public var channels: Int?
  /// Of a set in several streams: stands for the names and labels of all its pictures, the same in each.
  public var entriesDigest: String?

  public init(
    classes: [String]? = nil, shape: Shape? = nil, masks: MaskClasses? = nil, entriesDigest: String? = nil
  ) {
    (self.classes, self.shape, self.masks, self.entriesDigest) = (classes, shape, masks, entriesDigest)
  }

  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    classes = try fields.value(MetadataKey.classes)
    masks = try MaskClasses.of(record, source: source)
    labelSeparator = fields.text(MetadataKey.labelSeparator)
    entriesDigest = fields.text("entries_digest")
    let height: Int? = try fields.value("height")
    let width: Int? = try fields.value("width")
    channels = try fields.value("channels")
    if let height, let width, let channels {
      shape = Shape(height: height, width: width, channels: channels)
    }
  }

  /// The first record's metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    var metadata = try ClassNames.metadata(classes).merging(try MaskClasses.metadata(masks)) { $1 }
    if let shape {
      metadata["height"] = String(shape.height)
      metadata["width"] = String(shape.width)
    }
    metadata["channels"] = (shape?.channels ?? channels).map(String.init)
    metadata[MetadataKey.labelSeparator] = labelSeparator
    metadata["entries_digest"] = entriesDigest
    return metadata
  }
}

/// What the end record of an `images` stream adds.
public struct ImagesSummary: Sendable {
  /// Of all pixels, a value a channel.
  public var normalisation: Normalisation?
  /// How many pixels that was taken over.
  public var pixels: Int?
  /// The smallest and the largest height and width of pictures as files, upright.
  public var sizes: (smallest: [Int], largest: [Int])?
  /// Which of a set's pictures a shard was made from; nil where the stream is the whole set.
  public var entries: Range<Int>?
  /// Of pictures as files, 1 where every one is grey; nil where nothing is said.
  public var channels: Int?
  /// The pictures that were left out, the first 10,000 of them.
  public var skipped: [ImagesHeader.Skipped] = []
  public var skippedCount = 0

  public init() {}

  /// The end record's metadata.
  public func metadata() throws -> [String: String] {
    var metadata = try normalisation?.metadata() ?? [:]
    metadata["pixels"] = pixels.map(String.init)
    metadata["channels"] = channels.map(String.init)
    if let sizes { metadata["sizes"] = try JSONText.encode(["min": sizes.smallest, "max": sizes.largest]) }
    if let entries { metadata["entries"] = try JSONText.encode([entries.lowerBound, entries.upperBound]) }
    if skippedCount > 0 {
      metadata["skipped"] = try JSONText.encode(skipped)
      metadata["skipped_count"] = String(skippedCount)
    }
    return metadata
  }
}

/// The names of an images record's tensors.
public enum ImageTensors {
  /// Decoded: u8 [n, height, width, channels].
  public static let pixels = "pixels"
  /// Files as they came: u8 [total].
  public static let bytes = "image.bytes"
  /// Where each file begins, and where the last ends: i64 [n + 1].
  public static let offsets = "image.offsets"
}
