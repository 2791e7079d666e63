// The files that a list's paths lead to.

import Foundation
import TensorStream

/// Files by their names in a list.
struct ListFiles: Sendable {
  /// The folder that paths start from.
  var root: FilePath

  /// Tried for a name without a suffix that no file has.
  private static let suffixes = [".jpg", ".JPEG", ".jpeg", ".png", ".JPG", ".PNG", ".webp", ".tif", ".tiff"]

  /// The file that a name means, whether it exists or not.
  func path(_ name: [UInt8]) -> FilePath {
    if name.first == UInt8(ascii: "/") { return FilePath(bytes: name) }
    return root.bytes == [UInt8(ascii: ".")] ? FilePath(bytes: name) : root.appending(name)
  }

  /// Names to try where no file has the name itself: with a suffix where it has none, and with / for \.
  private func others(_ name: [UInt8]) -> [[UInt8]] {
    var names = [name]
    if name.contains(UInt8(ascii: "\\")) {
      names.append(name.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 })
    }
    return names.dropFirst()
      + names.flatMap { name in
        FilePath(bytes: name).base.contains(UInt8(ascii: ".")) ? [] : Self.suffixes.map { name + Array($0.utf8) }
      }
  }

  /// Whether there is a file of this very name.
  func isFile(_ name: [UInt8]) -> Bool { !name.isEmpty && !name.contains(0) && path(name).isFile }

  /// Whether there is a file of this name, or of another that is tried for it.
  func isThere(_ name: [UInt8]) -> Bool {
    if name.isEmpty || name.contains(0) { return false }
    return path(name).isFile || others(name).contains { path($0).isFile }
  }

  /// Throws `Failure(.noInput)` with the name as the list has it.
  func open(_ name: [UInt8]) throws -> ByteFile {
    do {
      return try ByteFile(path(name))
    } catch let failure as Failure where failure.kind == .noInput {
      for other in others(name) {
        if let file = try? ByteFile(path(other)) { return file }
      }
      throw failure
    }
  }
}
