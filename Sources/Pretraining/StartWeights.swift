import Networks
import Schemas
import TensorStream
import Training

/// What a fresh run starts from.
public enum StartWeights {
  /// All of its parts, teachers too, under their names in a checkpoint.
  case parts(Record, source: String, digest: String)
  /// An encoder alone, of this program or of another. Teachers are copies of it; decoders and heads are fresh.
  case encoder(WeightsFile)

  /// - Parameters:
  ///   - heads, image: of an encoder alone, as `WeightsFile` has them.
  public init(path: String, heads: Int? = nil, image: Int? = nil) throws {
    let found = try StoredWeights(path: path, kinds: [.weights, .checkpoint])
    let isWhole = found.record.kindText == StreamKind.checkpoint.rawValue
    if isWhole || found.record["student.cls_token"] != nil {
      self = .parts(found.record, source: found.source, digest: found.digest)
    } else {
      self = .encoder(try WeightsFile(found, heads: heads, image: image))
    }
  }

  /// For provenance.
  public var input: (name: String, header: Record, digest: String) {
    switch self {
    case .parts(let record, let source, let digest): (source, record, digest)
    case .encoder(let file): (file.source, file.record, file.digest)
    }
  }

  /// Sets the weights of a run's parts.
  /// - Throws: `Failure(.data)` naming the tensors that are missing, not expected or of another shape.
  func load(into parts: [Part]) throws {
    switch self {
    case .parts(let record, let source, _):
      try Training.load(parts, from: record, source: source) { $0.hasPrefix(TrainingState.optimizerPrefix) }
    case .encoder(let file):
      for case let encoder as Encoder in parts.map(\.network) { try file.load(into: encoder) }
    }
  }
}
