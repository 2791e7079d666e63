import Autodiff
import Networks
import Parallel
import TensorStream
import Training

/// A probe's batches: the rows of an epoch's features in an order of that epoch.
final class ProbeSource: BatchSource {
  /// Computing features was given up.
  struct GivenUp: Error {}

  private let probe: LinearProbe
  private let views: LabelledViews?
  private let onImages: (Int) -> Bool
  private var set: (features: Tensor, labels: [Int32])?
  /// The epoch whose features they are.
  private var epochOfSet = -1
  private var order: [Int32] = []
  private var epochOfOrder = -1
  let name: String
  let rowsPerEpoch: Int

  init(_ probe: LinearProbe, views: LabelledViews, onImages: @escaping (Int) -> Bool) {
    (self.probe, self.views, self.onImages) = (probe, views, onImages)
    name = views.batches.reader.name
    rowsPerEpoch = views.batches.rowsPerEpoch
  }

  init(_ probe: LinearProbe, features: Features) {
    self.probe = probe
    (views, onImages, name, rowsPerEpoch) = (nil, { _ in false }, "the features", features.count)
    set = (prepared(features), features.labels)
    epochOfSet = 0
  }

  func seek(to place: StepPlace, end: Int) throws {
    guard let batches = views?.batches, batches.epochs > 1 else { return }
    let last = (end - 1) / place.stepsPerEpoch
    guard batches.epochs > last else {
      throw Failure(
        .data,
        "\(name): holds \(counted(batches.epochs, "epoch")), but the run needs \(last + 1): make as many, or one, which is used again and again"
      )
    }
    try batches.skip(place.epoch * rowsPerEpoch)
  }

  func take(_ place: StepPlace) throws -> LinearProbe.Batch {
    let epoch = place.epoch
    let wanted = views.map { min(epoch, $0.batches.epochs - 1) } ?? 0
    if wanted != epochOfSet {
      // Let go of before the next is made.
      set = nil
      set = try features()
      epochOfSet = wanted
    }
    guard let set else { preconditionFailure("an epoch without features") }
    if epoch != epochOfOrder {
      var random = CounterRandom(
        seed: probe.configuration.seed, epoch: epoch, sample: 0, purpose: Purpose.shuffle.rawValue)
      order = random.permutation(rowsPerEpoch).map(Int32.init)
      epochOfOrder = epoch
    }
    let start = place.stepOfEpoch * probe.configuration.batch
    return LinearProbe.Batch(
      features: set.features,
      parts: probe.share.ranges.map { range in
        let rows = Array(order[start + range.lowerBound..<start + range.upperBound])
        return (rows, ClassTargets(labels: rows.map { set.labels[Int($0)] }, sets: views?.sets))
      })
  }

  func finishEpoch(_ place: StepPlace) throws {}

  func finish() throws {
    if let batches = views?.batches, batches.position == batches.epochs * rowsPerEpoch { try batches.finish() }
  }

  /// The features of the next epoch of the views.
  private func features() throws -> (Tensor, [Int32]) {
    guard let views else { preconditionFailure("features are there from the start") }
    guard
      let found = try probe.extractor.features(
        sharing: views, count: rowsPerEpoch, engine: probe.engine, onChunk: onImages)
    else { throw GivenUp() }
    // The end record is read before the first step, so that nothing is trained on a stream that is not whole.
    if views.batches.epochs == 1 { try views.batches.finish() }
    return (prepared(found), found.labels)
  }

  private func prepared(_ features: Features) -> Tensor {
    let tensor = features.tensor(probe.engine)
    if probe.configuration.standardising == .batch { return tensor }
    probe.scaling.measure(tensor, engine: probe.engine)
    probe.scaling.apply(to: tensor, engine: probe.engine)
    return tensor
  }
}
