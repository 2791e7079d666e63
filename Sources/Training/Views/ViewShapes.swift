import Schemas
import TensorStream

/// Views whose shape is the stream's matter.
extension ViewBatches {
  /// What a view of any shape has in a record.
  func shape(of need: ViewNeed, in record: Record) throws -> (height: Int, width: Int) {
    let place = "\(reader.name): after row \(position)"
    guard let tensor = record[need.name] else {
      throw Failure(
        .data,
        "\(place): no tensor \"\(need.name)\" (there are \(record.tensors.map(\.name).joined(separator: ", ")))")
    }
    let shape = tensor.shape
    guard shape.count == 4, shape[1] > 0, shape[2] > 0, shape[1].isMultiple(of: need.multiple),
      shape[2].isMultiple(of: need.multiple)
    else {
      let sides = need.multiple == 1 ? "" : ", height and width multiples of \(need.multiple)"
      throw Failure(
        .data, "\(place): \"\(need.name)\" is \(shape): expected [\(record.rows), height, width, \(channels)]\(sides)")
    }
    return (shape[1], shape[2])
  }
}
