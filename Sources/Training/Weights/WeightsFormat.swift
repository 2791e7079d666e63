import Schemas
import TensorStream

/// The two formats that weights are written in.
public enum WeightsFormat: String, CaseIterable, Sendable {
  /// A stream of one record.
  case stz
  /// A plain safetensors file, for other programs.
  case safetensors

  /// The format that a file's name means: safetensors where it ends so, a stream elsewhere.
  public init(path: String) { self = path.hasSuffix(".safetensors") ? .safetensors : .stz }

  /// Writes weights.
  /// - Throws: as `StreamWriter` does.
  public func write(
    _ tensors: [NamedTensor], metadata: [String: String], to path: String, overwrite: Bool
  ) throws {
    switch self {
    case .stz:
      try StreamWriter.writeOneRecord(
        path: path, kind: StreamKind.weights.rawValue, metadata: metadata, tensors: tensors, overwrite: overwrite)
    case .safetensors:
      // Some readers look for the framework whose array layout this is: PyTorch's.
      let metadata = metadata.merging(["format": "pt"]) { $1 }
      try writeSafetensors(path: path, metadata: metadata, tensors: tensors, overwrite: overwrite)
    }
  }
}
