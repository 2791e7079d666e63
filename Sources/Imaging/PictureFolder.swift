// A folder of picture files as a set of pictures: the names are read first, the pictures one after the other, so that memory does
// not grow with the set.

import Compute
import Foundation
import TensorStream

/// A folder of JPEG and PNG files. Where it has sub-folders, each is a class, sorted by name, and every file in it or below belongs to that
/// class; where it has none, the files are without labels. Names that start with a dot are left out, as `ls` does.
public struct PictureFolder: PictureSource {
  public let name: String
  public let labels: [Int32]?
  public let classes: [String]?
  public var count: Int { files.count }
  let files: [FilePath]
  /// What each surveyed file was, to notice one that changes before it is written.
  let stamps = Stamps()

  /// A file of more bytes than this is refused.
  static let maximumFileSize = 1 << 30

  final class Stamps {
    var known: [Int: FileStamp] = [:]
  }

  /// Reads the names. Throws `Failure(.data)` for a folder without files, a class without files, or files beside class folders.
  public init(_ path: String) throws {
    let root = FilePath(path)
    name = root.description
    let (files, folders) = try Self.list(root)
    if folders.isEmpty {
      guard !files.isEmpty else { throw Failure(.data, "\(name): an empty folder: there are no pictures in it") }
      (self.files, labels, classes) = (files, nil, nil)
      return
    }
    if let stray = files.first {
      throw Failure(
        .data,
        "\(stray.description): a file beside the class folders of \(name): expected files in sub-folders, or none at all"
      )
    }
    var all: [FilePath] = []
    var labels: [Int32] = []
    var classes: [String] = []
    for (label, folder) in folders.enumerated() {
      let found = try Self.listBelow(folder, within: [])
      guard !found.isEmpty else {
        throw Failure(.data, "\(folder.description): an empty folder: there are no pictures of this class in it")
      }
      all += found
      labels += repeatElement(Int32(label), count: found.count)
      classes.append(FilePath.printable(Array(folder.bytes[(folder.bytes.lastIndex(of: UInt8(ascii: "/"))! + 1)...])))
    }
    (self.files, self.labels, self.classes) = (all, labels, classes)
  }

  /// The files and the folders directly in a folder, each sorted by the bytes of the name.
  private static func list(_ folder: FilePath) throws -> (files: [FilePath], folders: [FilePath]) {
    func failure() -> Failure { Failure(.noInput, "\(folder.description): \(String(cString: strerror(errno)))") }
    guard let handle = folder.withCString({ opendir($0) }) else { throw failure() }
    defer { closedir(handle) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else {
        if errno != 0 { throw failure() }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name.first != UInt8(ascii: ".") { names.append(name) }
    }
    names.sort { $0.lexicographicallyPrecedes($1) }
    var files: [FilePath] = []
    var folders: [FilePath] = []
    for name in names {
      let path = folder.appending(name)
      var status = stat()
      guard path.withCString({ stat($0, &status) }) == 0 else {
        throw Failure(.noInput, "\(path.description): \(String(cString: strerror(errno)))")
      }
      if status.st_mode & S_IFMT == S_IFDIR { folders.append(path) } else { files.append(path) }
    }
    return (files, folders)
  }

  /// All files below a folder: its own first, then each sub-folder's. `above` are the folders on the way here, so that a link
  /// that leads back up ends in an error, not in an endless walk.
  private static func listBelow(_ folder: FilePath, within above: [FileStamp]) throws -> [FilePath] {
    let stamp = try ByteFile(folder).stamp
    guard !above.contains(where: { $0.inode == stamp.inode && $0.device == stamp.device }), above.count < 100 else {
      throw Failure(.data, "\(folder.description): a link back to a folder that it is in")
    }
    let (files, folders) = try list(folder)
    return try folders.reduce(into: files) { $0 += try listBelow($1, within: above + [stamp]) }
  }
}
