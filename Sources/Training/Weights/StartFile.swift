import Networks
import Schemas
import TensorStream

/// What fine-tuning starts from: an encoder, or a whole segmentation model.
public enum StartFile: Sendable {
  case encoder(WeightsFile)
  case segmenter(SegmenterFile)

  /// - Parameters: as of `WeightsFile`; a segmentation model has its own sizes.
  public init(path: String, heads: Int? = nil, image: Int? = nil) throws {
    let found = try WeightsFile.read(path, kinds: [StreamKind.weights.rawValue])
    if try SegmenterFile.isOne(found.record, source: found.source) {
      self = .segmenter(try SegmenterFile(found.record, source: found.source, digest: found.digest))
      if heads != nil || image != nil {
        throw Failure(
          .usage, "\(found.source): a segmentation model has its own sizes: --heads and --image have no meaning")
      }
    } else {
      self = .encoder(
        try WeightsFile(
          found.record, path: found.path, source: found.source, digest: found.digest, heads: heads, image: image))
    }
  }

  public var encoder: EncoderConfiguration {
    switch self {
    case .encoder(let file): file.encoder
    case .segmenter(let file): file.encoder
    }
  }

  public var normalisation: Normalisation? {
    switch self {
    case .encoder(let file): file.normalisation
    case .segmenter(let file): file.normalisation
    }
  }

  /// The file's name, its metadata, and what tells it from others, for provenance.
  public var input: (name: String, header: Record, digest: String) {
    switch self {
    case .encoder(let file): (file.source, file.record, file.digest)
    case .segmenter(let file): (file.source, file.record, file.digest)
    }
  }
}
