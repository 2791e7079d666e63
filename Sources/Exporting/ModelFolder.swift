import Foundation
import Networks
import Schemas
import TensorStream
import Training

/// A folder that another program opens as a model: `model.safetensors`, and text files that describe it. The weights come
/// last, so that a folder with weights is whole.
struct ModelFolder {
  let tensors: [NamedTensor]
  /// Other files by their names, as they are.
  let texts: [(name: String, text: String)]

  /// - Throws: `Failure(.cannotCreate)` where the folder, or without `overwrite` one of its files, is there already or cannot be made.
  func write(to path: String, metadata: [String: String], overwrite: Bool) throws {
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    if FileManager.default.fileExists(atPath: folder) {
      if !isFolder(folder) { throw Failure(.cannotCreate, "\(folder): is a file; this layout is a folder") }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      if !names.isEmpty && !overwrite {
        throw Failure(
          .cannotCreate,
          "\(folder): exists already and holds \(names.sorted()[0]); it is not replaced without --overwrite")
      }
      // Old weights beside new descriptions would be taken for whole.
      try? FileManager.default.removeItem(atPath: folder + "/model.safetensors")
    } else {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      } catch {
        throw Failure(.cannotCreate, "\(folder): cannot be made: \(error.localizedDescription)")
      }
    }
    for (name, text) in texts {
      try writeWholeFile(Array(text.utf8), path: "\(folder)/\(name)", overwrite: overwrite)
    }
    try WeightsFormat.safetensors.write(
      tensors, metadata: metadata, to: folder + "/model.safetensors", overwrite: overwrite)
  }
}

/// A JSON object as people read it, its keys sorted.
func prettyJSON(_ object: [String: Any]) throws -> String {
  let data = try JSONSerialization.data(
    withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
  return String(decoding: data, as: UTF8.self) + "\n"
}
