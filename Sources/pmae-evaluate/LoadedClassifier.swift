import Compute
import Networks
import TensorStream
import Training

/// A model's file as a network that classifies.
struct LoadedClassifier {
  /// Without its tensors.
  let file: WeightsFile
  let classifier: Classifier
  let engine: Engine

  /// - Throws: `Failure(.data)` for an encoder without a head; as `PoolingOptions` and `WeightsFile` do.
  init(_ path: String, pooling: PoolingOptions, input: InputOptions, quiet: Bool) throws {
    let file = try input.weights(path, quiet: quiet)
    guard let head = file.head else {
      throw Failure(.data, "\(file.source): an encoder without a head: pmae-finetune makes a model of it")
    }
    let pool = try pooling.pooling(of: head, source: file.source)
    engine = input.engine(quiet: quiet)
    classifier = try file.load(head, pooling: pool, engine: engine)
    self.file = file.withoutTensors
  }
}
