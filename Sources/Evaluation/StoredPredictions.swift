import Schemas
import TensorStream

/// A `predictions` stream that is read whole: of each image the most probable class, and what it is.
public struct StoredPredictions {
  public let header: PredictionsHeader
  public let source: String
  /// Each image's most probable class.
  public private(set) var predicted: [Int32] = []
  /// What each image is; below 0 where it is not known.
  public private(set) var labels: [Int32] = []
  /// Each image's number in the set that it is from.
  public private(set) var index: [Int64] = []
  public private(set) var names: RowNames?

  /// - Throws: `Failure(.data)` naming the record and what is missing or of another shape.
  public init(_ reader: StreamReader) throws {
    header = try PredictionsHeader(reader.header, source: reader.name)
    source = reader.name
    while let record = try reader.next() {
      let place = "\(source): after row \(predicted.count)"
      let rows = record.rows
      let classes = try PredictionTensors.classes(of: record, header, place: place)
      guard let labels = try Targets.labels(of: record, rows: rows, place: place) else {
        throw Failure(.data, "\(place): no labels: the views had no \"label\"")
      }
      guard let index = record[ViewTensors.index], index.type == .i64, index.shape == [rows] else {
        throw Failure(.data, "\(place): no \"index\", I64 [\(rows)], by which images are told apart")
      }
      names.append(0..<rows, of: try RowNames(record, what: place), after: predicted.count)
      for row in 0..<rows { predicted.append(classes[row * header.top]) }
      self.labels += labels
      self.index += try index.values(of: Int64.self)
    }
    if predicted.isEmpty { throw Failure(.data, "\(source): holds no rows") }
  }

  /// Whether each image is right, in the order of two sets of predictions' images.
  /// - Throws: `Failure(.data)` where the two are not of the same images, labels or classes.
  public static func verdicts(
    _ first: StoredPredictions, _ second: StoredPredictions
  ) throws -> (first: [Bool], second: [Bool]) {
    try requireSameClasses(first.header.classes, of: first.source, second.header.classes, of: second.source)
    let places = try second.places()
    let own = try first.places()
    if let row = second.index.indices.first(where: { own[second.index[$0]] == nil }) {
      throw Failure(.data, "\(second.source): has image \(second.picture(row)), which \(first.source) has not")
    }
    var (right, others): ([Bool], [Bool]) = ([], [])
    for row in first.predicted.indices {
      guard let other = places[first.index[row]] else {
        throw Failure(.data, "\(first.source): has image \(first.picture(row)), which \(second.source) has not")
      }
      guard first.labels[row] >= 0, first.labels[row] == second.labels[other] else {
        throw Failure(
          .data,
          "\(second.source): image \(second.picture(other)) has the label \(second.labels[other]), "
            + "but in \(first.source) \(first.labels[row]): expected the same, 0 or more")
      }
      right.append(first.predicted[row] == first.labels[row])
      others.append(second.predicted[other] == first.labels[row])
    }
    return (right, others)
  }

  private func picture(_ row: Int) -> String { names.picture(index[row], row: row) }

  private func places() throws -> [Int64: Int] {
    var places: [Int64: Int] = [:]
    for (row, number) in index.enumerated() where places.updateValue(row, forKey: number) != nil {
      throw Failure(.data, "\(source): image \(picture(row)) comes twice: one epoch of views is expected")
    }
    return places
  }
}
