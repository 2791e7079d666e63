import TensorStream

/// What is known of each row of images, views and features, and what a model is to say of it.
///
/// A target that is not a number per row (a mask, boxes) is a pair of tensors as `image.bytes` and `image.offsets` are.
public enum Targets {
  /// The class of each row: i32 [n], its place in the class names; below 0 where it is not known.
  public static let label = "label"

  /// The labels of a record; nil where it has none.
  /// - Parameter place: what a message calls the record: "images.stz: record 3".
  /// - Throws: `Failure(.data)` where the tensor is of another type or shape.
  public static func labels(of record: Record, rows: Int, place: String) throws -> [Int32]? {
    guard let tensor = record[label] else { return nil }
    guard tensor.type == .i32, tensor.shape == [rows] else {
      throw Failure(.data, "\(place): label is \(tensor.type.rawValue) \(tensor.shape): expected I32 [\(rows)]")
    }
    return try tensor.values(of: Int32.self)
  }
}
