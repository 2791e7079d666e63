import TensorStream

extension ViewBatches {
  /// - Throws: `Failure(.data)` where the stream shows a picture more than once.
  public func requireOneEpoch() throws {
    if epochs != 1 {
      throw Failure(
        .data, "\(reader.name): holds \(epochs) epochs: evaluation looks at each picture once, so one is expected")
    }
  }
}
