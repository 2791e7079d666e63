import Foundation
import Imaging
import TensorStream

/// A picture file of every kind, and what Pillow makes of them: Fixtures/kinds.py says how.
struct KindFixtures: Sendable {
  struct File: Decodable, Sendable {
    let file: String
    let height: Int
    let width: Int
    let channels: Int
    let orientation: Int
    /// Of the upright RGB pixels.
    let crc32: UInt32
  }

  struct Shrunk: Decodable, Sendable {
    let file: String
    let shortSide: Int
    let quality: Int
    let result: String
  }

  let record: Record
  let files: [File]
  let shrunk: [Shrunk]

  init() throws {
    record = try readTensors(path: PillowFixtures.folder.appendingPathComponent("kinds.safetensors").path)
    files = try JSONText.decode([File].self, from: record.metadata["files"] ?? "", what: "files")
    shrunk = try JSONText.decode([Shrunk].self, from: record.metadata["shrunk"] ?? "", what: "shrunk")
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: PillowFixtures.folder.appendingPathComponent("kinds/" + name)))
  }
}

/// The failure of decoding some bytes as picture file `photos/7`; nil where there is none.
func problem(_ bytes: [UInt8]) -> Failure? {
  do {
    _ = try bytes.withUnsafeBytes { try ImageFile.decode($0, name: "photos/7") }
    return nil
  } catch {
    return error as? Failure
  }
}
