import TensorStream

/// What a `tokenizer` stream says of itself: `centres` f32 [vocabulary, patch² · channels], one record.
public struct TokenizerHeader: Equatable, Sendable {
  /// The side of a patch in pixels.
  public var patch: Int
  public var channels: Int
  /// The mean and deviation by which the pixels were normalised.
  public var normalisation: Normalisation

  public init(patch: Int, channels: Int, normalisation: Normalisation) {
    (self.patch, self.channels, self.normalisation) = (patch, channels, normalisation)
  }

  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    patch = try fields.required("patch", of: "the tokenizer has")
    channels = try fields.required("channels", of: "the tokenizer has")
    guard (1...1 << 14).contains(patch), channels == 1 || channels == 3 else {
      throw Failure(.data, "\(source): a tokenizer of patches of \(patch) pixels and \(channels) channels cannot be")
    }
    guard let own = try Normalisation(of: record, channels: channels, source: source) else {
      throw Failure(.data, "\(source): the tokenizer has no \"mean\" and \"std\"")
    }
    normalisation = own
  }

  /// The metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    try normalisation.metadata().merging(["patch": String(patch), "channels": String(channels)]) { $1 }
  }
}

/// The name of a tokenizer's tensor.
public enum TokenizerTensors {
  /// f32 [vocabulary, patch² · channels].
  public static let centres = "centres"
}
