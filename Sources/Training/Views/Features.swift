import Autodiff
import Compute
import Foundation
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

  /// Takes memory for so many rows, unless the machine has less. Rows that are added to a full array move to one of twice the size, and both
  /// are there meanwhile.
  public mutating func reserve(_ rows: Int) {
    if Self.excess(count: rows, width: width) == nil { values.reserveCapacity(rows * width) }
  }

  /// Adds rows.
  /// - Parameters:
  ///   - values: n · D.
  ///   - labels: n, or none where the features have none.
  ///   - index: n.
  public mutating func append(values: [Float], labels: [Int32], index: [Int64], names: RowNames?) {
    precondition(values.count == index.count * width && (labels.isEmpty || labels.count == index.count))
    self.names.append(0..<index.count, of: names, after: count)
    self.values.append(contentsOf: values)
    self.labels.append(contentsOf: labels)
    self.index.append(contentsOf: index)
  }

  mutating func append(_ rows: Tensor, of batch: LabelledViews.Batch) {
    names.append(0..<rows.rows, of: batch.names, after: count)
    for r in 0..<rows.rows { values.append(contentsOf: rows.values(ofRow: r)) }
    labels.append(contentsOf: batch.labels)
    index.append(contentsOf: batch.index)
  }

  /// These rows, in this order.
  public func rows(_ rows: [Int]) -> Features {
    var chosen = Features(width: width)
    chosen.values.reserveCapacity(rows.count * width)
    for row in rows { chosen.values.append(contentsOf: values[row * width..<(row + 1) * width]) }
    if !labels.isEmpty { chosen.labels = rows.map { labels[$0] } }
    chosen.index = rows.map { index[$0] }
    chosen.names = names?.rows(rows)
    return chosen
  }

  /// The same rows, whose images' numbers begin later.
  public func renumbered(from first: Int) -> Features {
    var features = self
    features.index = index.map { $0 + Int64(first) }
    return features
  }

  /// The same rows with other features, [n, `width`].
  public func replacing(values: [Float], width: Int) -> Features {
    precondition(values.count == count * width)
    var features = Features(width: width)
    (features.values, features.labels, features.index, features.names) = (values, labels, index, names)
    return features
  }

  /// Changes the values [n, D] in place.
  public mutating func update(_ body: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
    try values.withUnsafeMutableBufferPointer { try body($0) }
  }

  /// - Throws: `Failure(.data)` where so many rows are more than this machine's memory.
  public static func requireRoom(count: Int, width: Int, source: String) throws {
    if let (bytes, memory) = excess(count: count, width: width) {
      throw Failure(
        .data,
        "\(source): \(count) features of width \(width) take \(gibibytes(bytes)), and this machine has \(gibibytes(memory)): "
          + "take fewer images, or smaller views for pixels (pmae-augment --size)")
    }
  }

  /// The bytes that so many rows take, and those of this machine's memory, where that has fewer.
  private static func excess(count: Int, width: Int) -> (bytes: Double, memory: Double)? {
    let bytes = 4 * Double(count) * Double(width)
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    return bytes > memory ? (bytes, memory) : nil
  }

  private static func gibibytes(_ bytes: Double) -> String { String(format: "%.1f GiB", bytes / 0x1p30) }

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
  public static let chunk = 32

  public init(_ encoder: Encoder, pooling: Pooling) {
    self.encoder = encoder
    self.pooling = pooling
  }

  /// The features of some images: [B, width].
  public func callAsFunction(_ images: ImageBatch, engine: Engine) -> Tensor {
    let tape = Tape(engine, recording: false)
    return encoder.pooled(tape, images, pooling)
  }

  /// The features of the next `count` rows.
  /// - Parameter onChunk: called with how many are done; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` as the views do, and where a feature is not finite.
  public func features(
    of views: LabelledViews, count: Int, engine: Engine, onChunk: (Int) -> Bool = { _ in false }
  ) throws -> Features? {
    try views.features(count, width: width, onChunk: onChunk) { self($0, engine: engine) }
  }
}

extension LabelledViews {
  /// What `body` makes of the next `count` rows, `FeatureExtractor.chunk` of them at a time.
  /// - Parameters:
  ///   - onChunk: called with how many are done; returning true gives up: the result is nil.
  ///   - body: images [B] -> features [B, width].
  /// - Throws: `Failure(.data)` as `take` does, where a feature is not finite, and where there are too many for memory.
  public func features(
    _ count: Int, width: Int, onChunk: (Int) -> Bool = { _ in false }, of body: (ImageBatch) -> Tensor
  ) throws -> Features? {
    try Features.requireRoom(count: count, width: width, source: batches.reader.name)
    var features = Features(width: width)
    while features.count < count {
      let batch = try take(min(FeatureExtractor.chunk, count - features.count))
      let rows = body(batch.images)
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
