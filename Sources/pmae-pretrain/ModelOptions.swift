import ArgumentParser
import Networks
import TensorStream
import Training

/// The encoder that is pretrained.
struct ModelOptions: ParsableArguments {
  @Option(help: "Encoder size: \(EncoderConfiguration.modelNames.joined(separator: ", ")) (default: vit-base).")
  var model: String?

  @Option(help: "Side of the square views, in pixels (default: 224).")
  var image: Int?

  @Option(help: "Side of a patch, in pixels (default: 16).")
  var patch: Int?

  @Option(help: "Colour channels of the views, 1 or 3 (default: 3).")
  var channels: Int?

  @Option(help: "Width of a token (default: the model's).")
  var width: Int?

  @Option(help: "Encoder blocks (default: the model's).")
  var depth: Int?

  @Option(help: "Attention heads (default: the model's).")
  var heads: Int?

  /// - Parameter base: what holds where no option says otherwise: the encoder of the run that goes on; nil for a fresh run.
  func encoder(_ base: EncoderConfiguration? = nil) throws -> EncoderConfiguration {
    var encoder: EncoderConfiguration
    if let base, model == nil {
      encoder = base
    } else {
      let name = model ?? "vit-base"
      guard let named = EncoderConfiguration.model(name, image: 224, patch: 16, channels: 3) else {
        throw ValidationError(
          "--model is \(name): expected one of \(EncoderConfiguration.modelNames.joined(separator: ", "))")
      }
      encoder = base ?? named
      (encoder.width, encoder.depth, encoder.heads) = (named.width, named.depth, named.heads)
    }
    encoder.image = image ?? encoder.image
    encoder.patch = patch ?? encoder.patch
    encoder.channels = channels ?? encoder.channels
    encoder.width = width ?? encoder.width
    encoder.depth = depth ?? encoder.depth
    encoder.heads = heads ?? encoder.heads
    try encoder.validate()
    return encoder
  }

  /// The encoder of a file that the run starts from.
  /// - Throws: `Failure(.usage)` where an option gives another size than the file has.
  func encoder(of file: WeightsFile) throws -> EncoderConfiguration {
    let asked = try encoder(file.encoder)
    let sizes: [(String, KeyPath<EncoderConfiguration, Int>)] = [
      ("image", \.image), ("patch", \.patch), ("channels", \.channels), ("width", \.width), ("depth", \.depth),
      ("heads", \.heads),
    ]
    for (name, of) in sizes where asked[keyPath: of] != file.encoder[keyPath: of] {
      throw Failure(
        .usage,
        "\(file.source): its encoder has \(name) \(file.encoder[keyPath: of]), but the options say \(asked[keyPath: of])"
      )
    }
    return asked
  }
}
