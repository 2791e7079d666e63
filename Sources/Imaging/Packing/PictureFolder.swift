// A folder of picture files. Names are read first, all of them; a file is opened when its picture is asked for.

import Foundation
import TensorStream

/// A folder of JPEG and PNG files. Where it has sub-folders, each is a class, and every file in it or below belongs to that class; where it has
/// none, the files are without labels. Names that start with a dot are left out, as `ls` does.
struct PictureFolder: PictureSource {
  let name: String
  private(set) var classes: [String]?
  let pixelShape: PixelShape? = nil
  private var labels: [Int32] = []
  private var names = NameTable()
  private var folderOfName: [Int32] = []
  private var folders: [FilePath] = []

  var count: Int { names.count }

  /// Reads the names. Throws `Failure(.data)` for a folder without files, a class without files, or files beside class folders.
  init(_ path: String, classNames: [String]?) throws {
    let root = FilePath(path)
    name = root.description
    let (files, subfolders) = try Self.list(root)
    if subfolders.isEmpty {
      guard files.count > 0 else { throw Failure(.data, "\(name): an empty folder: there are no pictures in it") }
      append(files, in: root)
      return
    }
    if files.count > 0 {
      throw Failure(
        .data,
        "\(root.appending(Array(files[0])).description): a file beside the class folders of \(name): expected files in "
          + "sub-folders, or none at all")
    }
    var table = LabelTable()
    for folder in subfolders {
      let before = count
      try appendAll(below: folder, within: [])
      guard count > before else {
        throw Failure(.data, "\(folder.description): an empty folder: there are no pictures of this class in it")
      }
      let base = Array(folder.bytes[(folder.bytes.lastIndex(of: UInt8(ascii: "/"))! + 1)...])
      for _ in before..<count { table.append(base) }
    }
    // By name, even where all names are numbers: a folder's label is its place among the folders.
    if let classNames {
      guard let finished = try table.finished(source: name, classNames: classNames, path: self.path) else { return }
      (labels, classes) = finished
    } else {
      (labels, classes) = table.sortedByName()
    }
  }

  func label(_ index: Int) -> Int32 { labels[index] }

  func path(_ index: Int) -> String { file(index).description }

  private func file(_ index: Int) -> FilePath { folders[Int(folderOfName[index])].appending(Array(names[index])) }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try ByteFile(file(index)).readAll(into: memory, limit: maximumPictureFileSize)
  }

  private mutating func append(_ files: NameTable, in folder: FilePath) {
    folders.append(folder)
    for i in 0..<files.count { names.append(files[i]) }
    folderOfName += repeatElement(Int32(folders.count - 1), count: files.count)
  }

  /// All files below a folder: its own first, then each sub-folder's. `above` are the folders on the way here, so that a link
  /// that leads back up ends in an error, not in an endless walk.
  private mutating func appendAll(below folder: FilePath, within above: [FileStamp]) throws {
    let stamp = try ByteFile(folder).stamp
    guard !above.contains(where: { $0.inode == stamp.inode && $0.device == stamp.device }), above.count < 100 else {
      throw Failure(.data, "\(folder.description): a link back to a folder that it is in")
    }
    let (files, subfolders) = try Self.list(folder)
    append(files, in: folder)
    for subfolder in subfolders { try appendAll(below: subfolder, within: above + [stamp]) }
  }

  /// The files and the folders directly in a folder, each in the order of the bytes of the name. What is neither is among the files: reading
  /// it will say so.
  private static func list(_ folder: FilePath) throws -> (files: NameTable, folders: [FilePath]) {
    func failure() -> Failure { Failure(.noInput, "\(folder.description): \(String(cString: strerror(errno)))") }
    guard let handle = folder.withCString({ opendir($0) }) else { throw failure() }
    defer { closedir(handle) }
    var names = NameTable()
    var isFolder: [Bool] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else {
        if errno != 0 { throw failure() }
        break
      }
      let type = Int(entry.pointee.d_type)
      withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        let name = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.firstIndex(of: 0) ?? bytes.count)])
        if name.first == UInt8(ascii: ".") { return }
        names.append(name)
        // Of a million files none but links costs a look.
        if type == Int(DT_LNK) || type == Int(DT_UNKNOWN) {
          var status = stat()
          let found = folder.appending(Array(name)).withCString { stat($0, &status) } == 0
          isFolder.append(found && status.st_mode & S_IFMT == S_IFDIR)
        } else {
          isFolder.append(type == Int(DT_DIR))
        }
      }
    }
    var files = NameTable()
    var folders: [FilePath] = []
    for i in names.sorted() {
      if isFolder[i] { folders.append(folder.appending(Array(names[i]))) } else { files.append(names[i]) }
    }
    return (files, folders)
  }
}
