import ArgumentParser
import Networks
import Pretraining

/// Sizes of the networks.
struct ModelOptions: ParsableArguments {
  @Option(help: "Encoder size: \(EncoderConfiguration.modelNames.joined(separator: ", ")).")
  var model = "vit-base"

  @Option(help: "Side of the square views, in pixels.")
  var image = 224

  @Option(help: "Side of a patch, in pixels.")
  var patch = 16

  @Option(help: "Colour channels of the views, 1 or 3.")
  var channels = 3

  @Option(help: "Width of a token (default: the model's).")
  var width: Int?

  @Option(help: "Encoder blocks (default: the model's).")
  var depth: Int?

  @Option(help: "Attention heads (default: the model's).")
  var heads: Int?

  @Option(help: "Width of the decoder.")
  var decoderWidth = 512

  @Option(help: "Blocks of the decoder.")
  var decoderDepth = 8

  @Option(help: "Attention heads of the decoder.")
  var decoderHeads = 16

  @Option(help: "Hidden width of the projection head.")
  var headHidden = 2048

  @Option(help: "Output width of the projection head's MLP.")
  var headBottleneck = 256

  @Option(help: "Prototypes for class tokens, and as many for patches.")
  var prototypes = 4096

  func configuration(objective: Configuration.Objective) throws -> Configuration {
    guard var encoder = EncoderConfiguration.model(model, image: image, patch: patch, channels: channels) else {
      throw ValidationError(
        "--model is \(model): expected one of \(EncoderConfiguration.modelNames.joined(separator: ", "))")
    }
    encoder.width = width ?? encoder.width
    encoder.depth = depth ?? encoder.depth
    encoder.heads = heads ?? encoder.heads
    try encoder.validate()
    let output = objective == .mae ? encoder.patchValues : encoder.width
    return Configuration(
      encoder: encoder,
      decoder: DecoderConfiguration(width: decoderWidth, depth: decoderDepth, heads: decoderHeads, output: output),
      head: HeadConfiguration(hidden: headHidden, bottleneck: headBottleneck, prototypes: prototypes))
  }
}
