import Autodiff
import Networks

extension Decoder {
  /// Predictions for the rows of [B·(1 + N)] that are wanted, from the encoder's tokens of the visible patches [B·(1 + V), D].
  func callAsFunction(_ tape: Tape, _ latent: Tensor, _ masks: Masks, wanted: [Int32]) -> Tensor {
    self(tape, latent, shuffle: masks.shuffle, sequences: masks.sequences, wanted: wanted)
  }
}
