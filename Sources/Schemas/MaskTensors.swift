import TensorStream

/// The names of masks' tensors, and reading them.
public enum MaskTensors {
  /// Of images: PNG files of class ids, 8 bits a pixel, of the upright picture's size: u8 [total].
  public static let bytes = "mask.bytes"
  /// Where each file begins, and where the last ends: i64 [n + 1].
  public static let offsets = "mask.offsets"
  /// Of views: the class ids of each pixel of a view, u8 [n, height, width]. Of a view that shows a whole picture at another size it has
  /// the picture's own.
  public static func mask(of recipe: String) -> String { "\(recipe).mask" }
  /// Of views of whole pictures: the height and width of the picture itself, i32 [n, 2].
  public static let size = "size"

  /// The masks of a record of views; nil where it has none.
  /// - Parameters:
  ///   - classes: what ids may be.
  ///   - place: what a message calls the record: "views.stz: record 3".
  /// - Throws: `Failure(.data)` where the tensor is of another type or shape, or holds what is no class.
  public static func masks(
    of recipe: String, in record: Record, classes: MaskClasses, place: String
  ) throws -> (height: Int, width: Int, ids: [UInt8])? {
    let name = mask(of: recipe)
    guard let tensor = record[name] else { return nil }
    let shape = tensor.shape
    guard tensor.type == .u8, shape.count == 3, shape[0] == record.rows, shape[1] > 0, shape[2] > 0 else {
      throw Failure(
        .data, "\(place): \(name) is \(tensor.type.rawValue) \(shape): expected U8 [\(record.rows), height, width]")
    }
    let ids = try tensor.values(of: UInt8.self)
    let area = shape[1] * shape[2]
    for row in 0..<shape[0] {
      try ids[row * area..<(row + 1) * area].withUnsafeBufferPointer {
        try classes.check($0, width: shape[2], what: "\(place): \(name)[\(row)]")
      }
    }
    return (shape[1], shape[2], ids)
  }

  /// The heights and widths of the pictures that a record's views show; nil where it does not say.
  /// - Throws: `Failure(.data)` where the tensor is of another type or shape, or holds what is no size.
  public static func sizes(of record: Record, place: String) throws -> [(height: Int, width: Int)]? {
    guard let tensor = record[size] else { return nil }
    guard tensor.type == .i32, tensor.shape == [record.rows, 2] else {
      throw Failure(
        .data, "\(place): \(size) is \(tensor.type.rawValue) \(tensor.shape): expected I32 [\(record.rows), 2]")
    }
    let values = try tensor.values(of: Int32.self)
    // A picture has at most 2^28 pixels.
    if let bad = values.firstIndex(where: { !(1...1 << 28).contains($0) }) {
      throw Failure(.data, "\(place): \(size)[\(bad / 2)] holds \(values[bad]): expected a height and a width")
    }
    return (0..<record.rows).map { (Int(values[2 * $0]), Int(values[2 * $0 + 1])) }
  }
}
