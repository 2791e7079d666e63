import Autodiff
import Compute
import Networks
import Schemas
import TensorStream

/// What a frozen encoder makes of a set of images.
public struct Features {
  /// [n, D], row by row.
  public private(set) var values: [Float] = []
  /// D.
  public let width: Int
  /// A label each; empty where there are none.
  public private(set) var labels: [Int32] = []
  /// Each image's number in the set that it is from.
  public private(set) var index: [Int64] = []
  /// The file of each image; nil where none has a name.
  public private(set) var names: RowNames?

  public init(width: Int) { self.width = width }

  public init(values: [Float], width: Int, labels: [Int32]) {
    precondition(values.count % width == 0 && (labels.isEmpty || labels.count == values.count / width))
    self.values = values
    self.width = width
    self.labels = labels
    index = (0..<Int64(values.count / width)).map { $0 }
  }

  public var count: Int { values.count / width }

  mutating func append(_ rows: Tensor, of batch: LabelledViews.Batch) {
    names.append(0..<rows.rows, of: batch.names, after: count)
    for r in 0..<rows.rows { values.append(contentsOf: rows.values(ofRow: r)) }
    labels.append(contentsOf: batch.labels)
    index.append(contentsOf: batch.index)
  }

  /// The values as a constant on the tape.
  public func tensor(_ engine: Engine) -> Tensor {
    let buffer = engine.memory.take(values.count)
    buffer.withValues { _ = $0.update(fromContentsOf: values) }
    return Tensor(rows: count, columns: width, values: buffer)
  }
}

/// A frozen encoder with its pooling.
public struct FeatureExtractor {
  public let encoder: Encoder
  public let pooling: Pooling

  /// Values of a feature.
  public var width: Int { pooling.width(of: encoder.configuration.width) }

  /// Images that are computed at a time. Fixed, so that no choice of the user's can change a bit.
  public static let chunk = 64

  public init(_ encoder: Encoder, pooling: Pooling) {
    self.encoder = encoder
    self.pooling = pooling
  }

  /// The features of some images: [B, width].
  public func callAsFunction(_ images: ImageBatch, engine: Engine) -> Tensor {
    let tape = Tape(engine, recording: false)
    return tape.pool(encoder(tape, images), images: images.count, pooling)
  }

  /// The features of the next `count` rows.
  /// - Parameter onChunk: called with how many are done; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` as the views do, and where a feature is not finite.
  public func features(
    of views: LabelledViews, count: Int, engine: Engine, onChunk: (Int) -> Bool = { _ in false }
  ) throws -> Features? {
    var features = Features(width: width)
    while features.count < count {
      let batch = try views.take(min(Self.chunk, count - features.count))
      let rows = self(batch.images, engine: engine)
      try requireFinite(rows, "feature", of: batch)
      features.append(rows, of: batch)
      if onChunk(features.count) { return nil }
    }
    return features
  }
}

/// Throws where a row of a network's output holds a NaN or an infinity: a weight must be monstrous then.
public func requireFinite(_ rows: Tensor, _ what: String, of batch: LabelledViews.Batch) throws {
  for r in 0..<rows.rows {
    if let bad = rows.values(ofRow: r).first(where: { !$0.isFinite }) {
      let image = batch.names.picture(batch.index[r], row: r)
      throw Failure(.data, "the \(what) of image \(image) holds \(bad): the weights cannot be right")
    }
  }
}
