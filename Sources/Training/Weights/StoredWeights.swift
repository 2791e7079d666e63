import Foundation
import Schemas
import TensorStream

/// Weights as they stand in a file: one record, of which nothing is checked yet.
public struct StoredWeights: Sendable {
  public let record: Record
  /// Of a plain file, which may have neighbours; nil for a stream and for standard input.
  public let path: String?
  /// The file's name, for messages.
  public let source: String
  /// Tells the file from others, for provenance; empty for a plain .safetensors file.
  public let digest: String

  public init(_ record: Record, path: String? = nil, source: String, digest: String) {
    (self.record, self.path, self.source, self.digest) = (record, path, source, digest)
  }

  /// The one record of a file, or of the `model.safetensors` in a folder, as Hugging Face and timm have.
  /// - Parameter kinds: what a stream may hold.
  /// - Throws: `Failure` naming the file, what was expected and what was found.
  public init(path: String, kinds: [StreamKind] = [.weights]) throws {
    if isFolder(path) {
      let inside = (path.hasSuffix("/") ? path : path + "/") + "model.safetensors"
      if FileManager.default.fileExists(atPath: inside) {
        try self.init(path: inside, kinds: kinds)
        return
      }
      throw Failure(
        .noInput, "\(path): a folder, expected weights: of a run, pmae-export \(path) --output FILE takes them out")
    }
    switch try AnyInput(path: path) {
    case .safetensors(let record):
      self.init(
        record, path: path == "-" ? nil : path, source: path == "-" ? "standard input" : path, digest: "")
    case .stream(let reader):
      if reader.kind == StreamKind.checkpoint.rawValue, !kinds.contains(.checkpoint) {
        throw Failure(.data, "\(reader.name): holds a checkpoint, expected weights: pmae-export takes them out of it")
      }
      if !kinds.contains(where: { $0.rawValue == reader.kind }) {
        throw Failure(.data, "\(reader.name): holds \(reader.kind), expected weights")
      }
      guard try reader.next() == nil else {
        throw Failure(.data, "\(reader.name): weights in several records, expected a file of one record")
      }
      self.init(reader.header, source: reader.name, digest: reader.digest)
    }
  }
}
