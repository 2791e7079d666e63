import Schemas
import TensorStream
import Training

/// A `features` stream that is read whole: features that were computed once and serve several measures.
public struct StoredFeatures {
  public let header: FeaturesHeader
  public let features: Features
  /// Of the encoder that made them; nil where the stream does not say, or pixels made them.
  public let encoderDigest: String?

  /// - Parameters:
  ///   - needsLabels: whether each row must have one, 0 or more, which stands for one class.
  ///   - mayBePart: whether it may hold a part of a set.
  ///   - onRecord: called with how many rows are read; returning true gives up: the result is nil.
  /// - Throws: `Failure(.data)` naming the record and the tensor that is missing, of another shape, or not finite.
  public init?(
    _ reader: StreamReader, needsLabels: Bool, mayBePart: Bool = false, onRecord: (Int) -> Bool = { _ in false }
  ) throws {
    header = try FeaturesHeader(reader.header, source: reader.name)
    if let part = header.part, !mayBePart {
      throw Failure(
        .data, "\(reader.name): is part \(part.text) of a set: pmae-evaluate join makes one stream of all parts")
    }
    if needsLabels, header.labelSeparator != nil {
      throw Failure(
        .data,
        "\(reader.name): its labels are sets of classes (pmae-pack --label-separator): expected a class for each row")
    }
    let width = header.width
    guard (1...1 << 30).contains(width) else {
      throw Failure(.data, "\(reader.name): features of width \(width) cannot be")
    }
    var features = Features(width: width)
    while let record = try reader.next() {
      let place = "\(reader.name): after row \(features.count)"
      let rows = record.rows
      if rows == 0 { continue }
      guard let tensor = record[FeatureTensors.features] else {
        throw Failure(.data, "\(place): no tensor \"\(FeatureTensors.features)\"")
      }
      guard tensor.type == .f32, tensor.shape == [rows, width] else {
        throw Failure(
          .data, "\(place): features are \(tensor.type.rawValue) \(tensor.shape): expected F32 \([rows, width])")
      }
      try Features.requireRoom(count: features.count + rows, width: width, source: reader.name)
      if features.count == 0, let estimate = reader.rowsEstimate { features.reserve(estimate + estimate / 50) }
      let values = try tensor.values(of: Float.self)
      if let bad = values.firstIndex(where: { !$0.isFinite }) {
        throw Failure(
          .data, "\(reader.name): row \(features.count + bad / width): a feature is \(values[bad]), expected a number")
      }
      let labels = try Targets.labels(of: record, rows: rows, place: place) ?? []
      try Self.check(labels, rows: rows, after: features, needsLabels: needsLabels, source: reader.name)
      let index = try record[ViewTensors.index].map { tensor in
        guard tensor.type == .i64, tensor.shape == [rows] else {
          throw Failure(
            .data, "\(place): index is \(tensor.type.rawValue) \(tensor.shape): expected I64 \([rows])")
        }
        return try tensor.values(of: Int64.self)
      }
      features.append(
        values: values, labels: labels,
        index: index ?? (0..<rows).map { Int64(features.count + $0) },
        names: try RowNames(record, what: place))
      if onRecord(features.count) { return nil }
    }
    if features.count == 0 { throw Failure(.data, "\(reader.name): holds no rows") }
    self.features = features
    encoderDigest = ProvenanceStep(metadata: reader.header.metadata).flatMap(Self.encoder)
  }

  /// Features that were joined are made from features.
  private static func encoder(_ step: ProvenanceStep) -> String? {
    let weights = step.inputs.first { $0.kind == StreamKind.weights.rawValue }
    if let weights { return weights.digest.flatMap { $0.isEmpty ? nil : $0 } }
    return step.inputs.first { $0.kind == StreamKind.features.rawValue }.flatMap(encoder)
  }

  private static func check(
    _ labels: [Int32], rows: Int, after features: Features, needsLabels: Bool, source: String
  ) throws {
    if needsLabels, labels.isEmpty {
      throw Failure(.data, "\(source): no labels: the features have no \"label\"")
    }
    if features.count > 0, labels.isEmpty != features.labels.isEmpty {
      throw Failure(.data, "\(source): after row \(features.count): labels in some records and not in others")
    }
    if needsLabels, let bad = labels.firstIndex(where: { $0 < 0 }) {
      throw Failure(
        .data, "\(source): row \(features.count + bad): the label is \(labels[bad]), expected 0 or more")
    }
  }
}
