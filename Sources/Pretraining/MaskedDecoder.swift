import Autodiff
import Networks

extension Decoder {
  /// Predictions for the rows of [B·(1 + N)] that are wanted, from the encoder's tokens of the visible patches [B·(1 + V), D].
  func callAsFunction(_ tape: Tape, _ latent: Tensor, _ masks: Masks, wanted: [Int32]) -> Tensor {
    self(tape, latent, shuffle: masks.shuffle, sequences: masks.sequences, wanted: wanted)
  }
}

extension Tape {
  /// MAE's loss: mean (prediction − pixels)² over the values of some patches, each patch normalised to its own mean and variance.
  /// prediction [B·n, P²·channels], a patch's values in row, column, channel order; ids [B·n], the same number of each image.
  func pixelLoss(_ prediction: Tensor, of images: ImageBatch, ids: [Int32], patch: Int) -> Loss {
    let pixels = patchRows(images, ids: ids, patch: patch, order: .channelsLast, engine: engine)
    return meanSquaredError(prediction, target: standardiseRows(pixels))
  }
}
