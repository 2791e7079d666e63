import ArgumentParser
import CommandLineKit
import Compute
import Networks
import Training
import TensorStream

extension Pooling: ExpressibleByArgument {}

/// How an image's tokens become one feature. A fine-tuned model says it; another program's file does not.
struct PoolingOptions: ParsableArguments {
  @Option(
    help:
      "The class token, the mean of the patch tokens, or their means in 3 x 3 parts of the picture (default: the model's own; class for an encoder)."
  )
  var pool: Pooling?

  /// An encoder with its pooling, for features; the head of a model is left out.
  func extractor(_ file: WeightsFile, engine: Engine, quiet: Bool) throws -> FeatureExtractor {
    let extractor = FeatureExtractor(
      try file.load(engine: engine), pooling: pool ?? file.head?.pooling ?? .classToken)
    if let head = file.head {
      let whose = pool != nil ? "as --pool says" : head.pooling != nil ? "the model's own" : "the file does not say"
      note(
        toolName, "\(file.source): its head is left out; pool: \(extractor.pooling.rawValue), \(whose)", quiet: quiet)
    }
    return extractor
  }

  /// What a model's head is on.
  /// - Throws: `Failure(.usage)` where neither the file nor the option says, or they contradict each other.
  func pooling(of head: WeightsFile.Head, source: String) throws -> Pooling {
    guard let pooling = head.pooling ?? pool else {
      throw Failure(
        .usage,
        "\(source): does not say what its head is on: use --pool class for the class token (timm's global_pool=\"token\"), "
          + "--pool mean or --pool grid")
    }
    if let pool, pool != pooling {
      throw Failure(
        .usage, "\(source): its head is on pool \(pooling.rawValue), but --pool says \(pool.rawValue)")
    }
    return pooling
  }
}
