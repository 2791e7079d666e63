import ArgumentParser
import Networks

/// The encoder that is pretrained.
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

  func encoder() throws -> EncoderConfiguration {
    guard var encoder = EncoderConfiguration.model(model, image: image, patch: patch, channels: channels) else {
      throw ValidationError(
        "--model is \(model): expected one of \(EncoderConfiguration.modelNames.joined(separator: ", "))")
    }
    encoder.width = width ?? encoder.width
    encoder.depth = depth ?? encoder.depth
    encoder.heads = heads ?? encoder.heads
    try encoder.validate()
    return encoder
  }
}
