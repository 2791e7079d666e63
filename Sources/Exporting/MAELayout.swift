import Autodiff
import Compute
import Networks
import TensorStream
import Training

/// An encoder and the decoder beside it as one state dictionary with MAE's names, for its `MaskedAutoencoderViT`.
public enum MAELayout {
  /// - Parameter record: of a run's checkpoint, whose `decoder.` is taken; nil where there is none.
  /// - Throws: `Failure(.usage)` where there is no decoder, or one that predicts something else than pixels, or where MAE
  ///   has no such encoder.
  public static func tensors(_ file: WeightsFile, decoderOf record: Record?) throws -> [NamedTensor] {
    let (c, source, prefix) = (file.encoder, file.source, "decoder.")
    guard let record, let embedding = record[prefix + "decoder_embed.weight"], embedding.shape.count == 2,
      let prediction = record[prefix + "decoder_pred.weight"], prediction.shape.count == 2
    else {
      throw Failure(.usage, "\(source): has no decoder: --layout mae is for runs with one")
    }
    guard prediction.shape[0] == c.patchValues else {
      throw Failure(
        .usage,
        "\(source): its decoder predicts \(prediction.shape[0]) values of a patch, and MAE's the \(c.patchValues) of its pixels: --layout mae is for runs with --objective mae"
      )
    }
    if c.layerScale { throw Failure(.usage, "\(source): has LayerScale, which MAE's encoder has none of") }
    let stored = record.tensors.filter { $0.name.hasPrefix(prefix) }
    let positions = record[prefix + "decoder_pos_embed"]?.shape ?? []
    guard positions.count == 3, positions[1] == 1 + c.patches else {
      throw Failure(.usage, "\(source): its decoder has positions \(positions): --image is not for --layout mae")
    }
    // What is missing or does not fit is named by loading it.
    let numbers = stored.compactMap { tensor -> Int? in
      let parts = tensor.name.split(separator: ".")
      return parts.count > 2 && parts[1] == "decoder_blocks" ? Int(parts[2]) : nil
    }
    let shape = DecoderConfiguration(width: embedding.shape[0], depth: (numbers.max() ?? 0) + 1, heads: 1)
    try shape.validate()
    try record.requirePlausible(weights: shape.approximateWeights(output: c.patchValues), source: source)
    let decoder = Decoder(shape, encoder: c, output: c.patchValues, engine: Engine(threads: 1), trained: false)
    try load([Part(prefix, decoder)], from: Record(tensors: stored), source: source)
    return file.tensors(hasHead: false) + stored.map { (String($0.name.dropFirst(prefix.count)), $0.tensor) }
  }
}
