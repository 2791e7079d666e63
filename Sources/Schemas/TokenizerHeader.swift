import TensorStream

/// What a `tokenizer` stream says of itself. Its one record holds `centres` f32 [vocabulary, patch² · channels], and `mean` and `std`
/// f32 [channels], by which pixels are normalised for them.
public struct TokenizerHeader: Equatable, Sendable {
  /// The side of a patch in pixels.
  public var patch: Int
  public var channels: Int

  public init(patch: Int, channels: Int) { (self.patch, self.channels) = (patch, channels) }

  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    patch = try fields.required("patch", of: "the tokenizer has")
    channels = try fields.required("channels", of: "the tokenizer has")
    guard (1...1 << 14).contains(patch), channels == 1 || channels == 3 else {
      throw Failure(.data, "\(source): a tokenizer of patches of \(patch) pixels and \(channels) channels cannot be")
    }
  }

  /// The metadata, provenance aside.
  public func metadata() -> [String: String] { ["patch": String(patch), "channels": String(channels)] }
}

/// The name of a tokenizer's tensor of centres.
public enum TokenizerTensors {
  /// f32 [vocabulary, patch² · channels].
  public static let centres = "centres"
}
