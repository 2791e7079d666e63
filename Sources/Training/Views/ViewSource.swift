import Runs
import TensorStream

/// Batches cut from a `views` stream by a trainer's own rule.
public struct ViewSource<Batch>: BatchSource {
  private let views: ViewBatches
  /// Images a step.
  private let batch: Int
  /// The number, in the run, of the stream's first epoch.
  private let firstEpoch: Int
  private let next: (StepPlace) throws -> Batch

  /// - Parameters:
  ///   - countsFromFirst: whether the run's first epoch is the stream's first, whatever number that has: of a run that is not kept.
  ///   - next: takes the rows of a step from the views.
  public init(
    _ views: ViewBatches, batch: Int, countsFromFirst: Bool = false, next: @escaping (StepPlace) throws -> Batch
  ) {
    (self.views, self.batch, self.next) = (views, batch, next)
    firstEpoch = countsFromFirst ? 0 : views.firstEpoch
  }

  public var name: String { views.reader.name }
  public var rowsPerEpoch: Int { views.rowsPerEpoch }

  public func seek(to place: StepPlace, end: Int) throws {
    let last = (end - 1) / place.stepsPerEpoch
    guard firstEpoch <= place.epoch, firstEpoch + views.epochs > last else {
      throw Failure(
        .data,
        "\(name): holds \(epochs(firstEpoch, firstEpoch + views.epochs - 1)), but the run needs \(epochs(place.epoch, last)) (counted from 0)"
      )
    }
    let at = try EpochSteps(rows: rowsPerEpoch, batch: batch, source: name).place(ofStep: place.step)
    let start = (at.epoch - firstEpoch) * rowsPerEpoch + at.row
    guard start >= views.position else {
      throw Failure(
        .data,
        "\(name): begins at row \(views.header.firstRow) of epoch \(firstEpoch), but the run goes on at row \(start) of it"
      )
    }
    try views.skip(start - views.position)
  }

  private func epochs(_ first: Int, _ last: Int) -> String {
    first == last ? "epoch \(first)" : "epochs \(first) to \(last)"
  }

  public func take(_ place: StepPlace) throws -> Batch { try next(place) }

  public func finishEpoch(_ place: StepPlace) throws { try views.skip(rowsPerEpoch - place.stepsPerEpoch * batch) }

  public func finish() throws {
    if views.position == views.epochs * rowsPerEpoch { try views.finish() }
  }
}
