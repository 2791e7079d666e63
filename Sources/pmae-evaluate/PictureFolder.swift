import Foundation
import TensorStream

/// A folder of PNG files, a picture each, under its number in the set and its file's name.
struct PictureFolder {
  private let path: String
  private let overwrite: Bool

  /// - Throws: `Failure(.cannotCreate)` where it cannot be made, or is there already with files in it.
  init(_ path: String, overwrite: Bool) throws {
    (self.path, self.overwrite) = (path, overwrite)
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      if !overwrite, let first = try FileManager.default.contentsOfDirectory(atPath: path).sorted().first {
        throw Failure(
          .cannotCreate, "\(path): holds \(first) already: --overwrite writes beside and over what is there")
      }
    } catch let error as CocoaError {
      throw Failure(.cannotCreate, "\(path): cannot be made a folder: \(error.localizedDescription)")
    }
  }

  func write(_ bytes: [UInt8], index: Int64, name: String?) throws {
    let stem = name.map { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent }.map { "-" + $0 } ?? ""
    let number = String(index)
    let file = path + "/" + String(repeating: "0", count: max(0, 6 - number.count)) + number + stem + ".png"
    do {
      try Data(bytes).write(to: URL(fileURLWithPath: file), options: .atomic)
    } catch {
      throw Failure(.io, "\(file): cannot be written: \(error.localizedDescription)")
    }
  }
}
