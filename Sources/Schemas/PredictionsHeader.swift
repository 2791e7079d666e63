import TensorStream

/// What a `predictions` stream says of itself: the classes that a classifier finds most probable for each image.
public struct PredictionsHeader: Equatable, Sendable {
  /// k, how many classes a row has.
  public var top: Int
  /// C, how many the classifier tells apart.
  public var classCount: Int
  /// Names of classes, of predictions and of labels; nil where neither the model nor the views name any.
  public var classes: [String]?

  public init(top: Int, classCount: Int, classes: [String]?) {
    (self.top, self.classCount, self.classes) = (top, classCount, classes)
  }

  /// - Throws: `Failure(.data)` naming the file and the key that is missing, of another type, or that cannot be.
  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    top = try fields.required("top", of: "the predictions have")
    classCount = try fields.required("class_count", of: "the predictions have")
    classes = try fields.value(MetadataKey.classes)
    guard (1...1 << 24).contains(classCount), (1...classCount).contains(top) else {
      throw Failure(.data, "\(source): predictions of the first \(top) of \(classCount) classes cannot be")
    }
  }

  /// The first record's metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    try ClassNames.metadata(classes).merging(["top": String(top), "class_count": String(classCount)]) { $1 }
  }
}

/// The names of a predictions record's own tensors, beside `ViewTensors.index`, `Targets.label` and `RowNames`.
public enum PredictionTensors {
  /// The most probable classes, the first before the second: i32 [n, k].
  public static let prediction = "prediction"
  /// Their probabilities: f32 [n, k].
  public static let probability = "probability"

  /// The classes of a record's rows, k each, row by row.
  /// - Parameter place: what a message calls the record: "predictions.stz: record 3".
  /// - Throws: `Failure(.data)` where the tensor is missing, of another type or shape, or holds what is no class.
  public static func classes(of record: Record, _ header: PredictionsHeader, place: String) throws -> [Int32] {
    guard let tensor = record[prediction] else { throw Failure(.data, "\(place): no tensor \"\(prediction)\"") }
    guard tensor.type == .i32, tensor.shape == [record.rows, header.top] else {
      throw Failure(
        .data,
        "\(place): \(prediction) is \(tensor.type.rawValue) \(tensor.shape): expected I32 \([record.rows, header.top])")
    }
    let classes = try tensor.values(of: Int32.self)
    if let bad = classes.first(where: { $0 < 0 || $0 >= header.classCount }) {
      throw Failure(.data, "\(place): \(prediction) holds \(bad): expected 0 to \(header.classCount - 1)")
    }
    return classes
  }
}
