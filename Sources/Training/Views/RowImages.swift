import Networks
import Parallel
import Schemas

extension ViewBatches.Rows {
  /// A view's pixels as a network's input.
  /// - Parameter normalisation: a model's own; nil for that of the views.
  public func images(
    _ view: String, of batches: ViewBatches, normalisation: Normalisation? = nil
  ) -> ImageBatch {
    let normalisation = normalisation ?? batches.normalisation
    let need = batches.views.first { $0.name == view }
    return ImageBatch(
      pixels: pixels[view] ?? [], count: count, height: need?.height ?? 0, width: need?.width ?? 0,
      channels: batches.channels, mean: normalisation.mean.map { Float($0) }, std: normalisation.std.map { Float($0) })
  }
}

/// Random numbers for one purpose of a run, for each image its own, by its number in the set.
/// - Parameter view: of which of the image's views, below 2⁸, where several draw for the same purpose.
public func randomNumbers(
  _ index: [Int64], seed: UInt64, epoch: Int, _ purpose: Purpose, view: Int = 0
) -> [CounterRandom] {
  let purpose = purpose.rawValue + UInt32(view) << 8
  return index.map { CounterRandom(seed: seed, epoch: epoch, sample: Int($0), purpose: purpose) }
}
