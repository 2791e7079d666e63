import ArgumentParser
import Networks
import TensorStream

/// Where the encoder comes from: a file, or sizes for fresh weights.
struct EncoderOptions: ParsableArguments {
  @Option(
    name: .customLong("init"),
    help: "Encoder weights, .stz or .safetensors, this program's or another's (default: fresh ones).")
  var start: String?

  @Flag(help: "Of --init take the sizes alone: the weights are fresh.")
  var fresh = false

  @Option(
    help: "Size of a fresh encoder: \(EncoderConfiguration.modelNames.joined(separator: ", ")) (default: vit-base).")
  var model: String?

  @Option(help: "Side of the square views, in pixels (default: 224; with --init the file's own).")
  var image: Int?

  @Option(help: "Side of a patch, in pixels (default: 16).")
  var patch: Int?

  @Option(help: "Colour channels of the views, 1 or 3 (default: 3).")
  var channels: Int?

  @Option(help: "Width of a token (default: the model's).")
  var width: Int?

  @Option(help: "Encoder blocks (default: the model's).")
  var depth: Int?

  @Option(help: "Attention heads (default: the model's; needed where no file says).")
  var heads: Int?

  mutating func validate() throws {
    guard start != nil else {
      if fresh { throw ValidationError("--fresh needs --init, whose sizes it takes") }
      return
    }
    let sizes: [(String, Bool)] = [
      ("model", model != nil), ("patch", patch != nil), ("channels", channels != nil),
      ("width", width != nil), ("depth", depth != nil),
    ]
    if let (name, _) = sizes.first(where: \.1) {
      throw ValidationError("--\(name) and --init exclude each other: the file has its own sizes")
    }
  }

  /// The sizes of a fresh encoder.
  func freshSizes() throws -> EncoderConfiguration {
    let name = model ?? "vit-base"
    let sizes = EncoderConfiguration.model(name, image: image ?? 224, patch: patch ?? 16, channels: channels ?? 3)
    guard var encoder = sizes else {
      throw ValidationError(
        "--model is \(name): expected one of \(EncoderConfiguration.modelNames.joined(separator: ", "))")
    }
    encoder.width = width ?? encoder.width
    encoder.depth = depth ?? encoder.depth
    encoder.heads = heads ?? encoder.heads
    try encoder.validate()
    return encoder
  }
}
