import TensorStream

/// The one place where steps become rows and rows become steps. An epoch's rows are cut into whole batches, and what is
/// left over is passed over.
public struct EpochSteps: Equatable, Sendable {
  /// Of an epoch.
  public let rows: Int
  /// Images a step.
  public let batch: Int

  /// - Parameter source: what a message calls the images.
  /// - Throws: `Failure(.data)` where an epoch has not even one batch.
  public init(rows: Int, batch: Int, source: String) throws {
    guard batch > 0 else {
      throw Failure(.data, "\(source): a batch of \(batch) images is impossible: expected at least 1")
    }
    if rows < batch {
      throw Failure(
        .data, "\(source): an epoch of \(rows) images is fewer than a batch of \(batch): use a smaller --batch")
    }
    (self.rows, self.batch) = (rows, batch)
  }

  public var stepsPerEpoch: Int { rows / batch }

  /// Where in the rows a step's batch begins.
  public func place(ofStep step: Int) -> (epoch: Int, row: Int) {
    (step / stepsPerEpoch, step % stepsPerEpoch * batch)
  }
}
