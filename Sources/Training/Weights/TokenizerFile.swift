import Autodiff
import Compute
import Networks
import Schemas
import TensorStream

/// A tokenizer of patches as a file of kind `tokenizer`.
public enum TokenizerFile {
  /// Reads the centres of a tokenizer into one of the same shape.
  /// - Throws: `Failure(.data)` naming the file, what was expected and what was found.
  public static func load(_ path: String, into tokenizer: PatchTokenizer) throws {
    let record = try readTensors(path: path, kinds: [StreamKind.tokenizer.rawValue])
    let header = try TokenizerHeader(record, source: path)
    guard header.patch == tokenizer.patch, header.channels == tokenizer.channels else {
      throw Failure(
        .data,
        "\(path): a tokenizer of patches of \(header.patch) pixels, \(header.channels) channels: the model has \(tokenizer.patch) and \(tokenizer.channels)"
      )
    }
    if let centres = record[TokenizerTensors.centres], centres.shape.first != tokenizer.vocabulary {
      throw Failure(
        .data,
        "\(path): has \(centres.shape.first ?? 0) tokens, but --vocabulary is \(tokenizer.vocabulary)")
    }
    try Training.load([Part("", tokenizer)], from: record, source: path)
    if !tokenizer.isUsable {
      throw Failure(.data, "\(path): a deviation of \"std\" is not above 0: pixels cannot be divided by it")
    }
  }

  /// The tensors of such a file.
  public static func tensors(_ tokenizer: PatchTokenizer) -> [NamedTensor] { storedTensors([Part("", tokenizer)]) }
}
