import Foundation
import Networks
import TensorStream

/// Where the model goes; checked before hours of training, not after.
struct Destination {
  private let path: String
  private let overwrite: Bool

  init(_ path: String, overwrite: Bool) throws {
    self.path = path
    self.overwrite = overwrite
    if path == "-" {
      if isatty(STDOUT_FILENO) == 1 {
        throw Failure(.usage, "standard output: is a terminal: name a file with --output, or use a pipe")
      }
      return
    }
    var isFolder: ObjCBool = false
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    if !overwrite && attributes?[.type] as? FileAttributeType == .typeRegular {
      throw Failure(.cannotCreate, "\(path): exists already: --overwrite replaces it")
    }
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty, !FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) || !isFolder.boolValue {
      throw Failure(.cannotCreate, "\(path): there is no folder \(folder)")
    }
  }

  /// As .safetensors where the name ends so, else as .stz.
  func write(
    _ classifier: Classifier, normalisation: Normalisation, classNames: [String]?, provenance: [String: String]
  ) throws {
    var metadata = try WeightsFile.metadata(
      encoder: classifier.encoder.configuration,
      head: WeightsFile.Head(classes: classifier.classes, pooling: classifier.pooling),
      normalisation: normalisation, classNames: classNames)
    metadata.merge(provenance) { $1 }
    let tensors = storedTensors([Part("", classifier)])
    if path.hasSuffix(".safetensors") {
      metadata["format"] = "pt"
      try writeSafetensors(path: path, metadata: metadata, tensors: tensors, overwrite: overwrite)
    } else {
      try StreamWriter.writeOneRecord(
        path: path, kind: "weights", metadata: metadata, tensors: tensors, overwrite: overwrite)
    }
  }
}
