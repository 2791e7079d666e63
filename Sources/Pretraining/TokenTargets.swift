import Autodiff
import Compute
import Networks
import Settings
import TensorStream
import Training

/// Options of an objective whose targets are visual tokens.
public protocol TokenOptions: ObjectiveOptions {
  /// C, how many there are.
  var vocabulary: Int { get set }
  /// The file of the tokenizer; empty where the views carry the tokens.
  var tokenizer: String { get set }
}

extension TokenOptions {
  public static var tokenSettings: [Setting<Self>] {
    [
      .whole("vocabulary", \.vocabulary, "Visual tokens."),
      .text("tokenizer", \.tokenizer, "The tokenizer's file; not needed where the views carry \"ids\"."),
    ]
  }

  /// Throws `Failure(.usage)` where there cannot be so many.
  public func validateTokens() throws {
    guard (2...1 << 20).contains(vocabulary) else {
      throw Failure(.usage, "vocabulary must be from 2 to 1,048,576, not \(vocabulary)")
    }
  }
}

/// Where the visual tokens of patches come from: the views, or a tokenizer. Its centres are part of a checkpoint.
struct TokenTargets {
  private let vocabulary: Int
  private let tokenizer: PatchTokenizer?
  private let path: String
  private let engine: Engine

  init(_ options: some TokenOptions, encoder: EncoderConfiguration, engine: Engine) {
    (vocabulary, path, self.engine) = (options.vocabulary, options.tokenizer, engine)
    tokenizer =
      path.isEmpty
      ? nil
      : PatchTokenizer(
        vocabulary: options.vocabulary, patch: encoder.patch, channels: encoder.channels, engine: engine)
  }

  var parts: [Part] { tokenizer.map { [Part("tokenizer.", $0)] } ?? [] }

  func prepare() throws { if let tokenizer { try TokenizerFile.load(path, into: tokenizer) } }

  /// The tokens of some patches of the rows, by their places in `images`. The stream's own come first.
  func ids(of places: [Int32], _ images: ImageBatch, rows: BatchRows, patches: Int) throws -> [Int32] {
    if let given = try rows.numbers("ids", patches: patches, below: vocabulary) { return places.map { given[Int($0)] } }
    guard let tokenizer else {
      throw Failure(
        .data,
        "\(rows.source): the views carry no \"ids\", so --tokenizer must name a file (pmae-evaluate tokenizer makes one)"
      )
    }
    return tokenizer(images, places: places, engine: engine)
  }

  /// `used_tokens`: the tokens in use among the masked patches of the whole batch, by those of this rank's parts.
  func use(of parts: [[Int32]]) -> Figure {
    let ids = engine.ranks.gather(lists: parts.flatMap { $0 }, padding: 0).flatMap { $0 }
    return Figure("used_tokens", shareInUse(ids, of: vocabulary))
  }
}
