// What lies in a folder, in the order of the bytes of the names.

import Foundation
import TensorStream

/// The files and the folders directly in a folder, without what cameras, clouds and systems leave there.
struct FolderListing {
  /// What is neither a file nor a folder is among the files: reading it will say so.
  private(set) var files = NameTable()
  private(set) var folders: [[UInt8]] = []
  /// The first of the pictures that belong to another beside them, and how many there are.
  private(set) var parts: (count: Int, first: [UInt8]?) = (0, nil)
  /// A file that may be a list of the pictures.
  private(set) var list: [UInt8]?
  /// A file beside a picture that would say its label in a tar file.
  private(set) var label: [UInt8]?
  /// A symbolic link that leads to nothing, which is among the files; the first by the bytes of its name.
  private(set) var lost: (name: [UInt8], target: [UInt8])?

  private static let listSuffixes: Set<String> = ["csv", "tsv", "jsonl", "txt"]

  /// - Parameter takesParts: whether pictures that belong to another are taken too.
  /// - Throws: `Failure(.noInput)` where the folder cannot be read.
  init(_ folder: FilePath, takesParts: Bool) throws {
    let (names, isFolder, list, lost) = try StallWatch.watch(folder.description) { try Self.names(in: folder) }
    (self.list, self.lost) = (list, lost)
    let order = names.sorted()
    var rule = PictureParts(stems: {
      (0..<names.count).filter { !isFolder[$0] && PictureParts.isPicture(names[$0]) }
        .map { PictureParts.hash(PictureParts.stem(names[$0]), folder: []) }
    })
    for i in order {
      if isFolder[i] {
        folders.append(Array(names[i]))
      } else if rule.isPart(names[i], folder: []) {
        if PictureParts.isPicture(names[i]) {
          if takesParts { files.append(names[i]) } else { parts = (parts.count + 1, parts.first ?? Array(names[i])) }
        } else if label == nil, TarSample.mayLabel(names[i]) {
          label = Array(names[i])
        }
      } else {
        files.append(names[i])
      }
    }
  }

  /// The names in a folder that are no sidecars, in its own order; which of them are folders; a file that may be a
  /// list; and a link that leads to nothing.
  private static func names(
    in folder: FilePath
  ) throws -> (NameTable, isFolder: [Bool], list: [UInt8]?, lost: (name: [UInt8], target: [UInt8])?) {
    func failure() -> Failure { Failure(.noInput, "\(folder.description): \(String(cString: strerror(errno)))") }
    let descriptor = folder.open(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure() }
    guard let handle = fdopendir(descriptor) else {
      defer { close(descriptor) }
      throw failure()
    }
    defer { closedir(handle) }
    var names = NameTable()
    var isFolder: [Bool] = []
    var list: [UInt8]?
    var lost: (name: [UInt8], target: [UInt8])?
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
        var isOne = type == Int(DT_DIR)
        var target: [UInt8]?
        // Of a million files none but links costs a look.
        if type == Int(DT_LNK) || type == Int(DT_UNKNOWN) {
          let status = folder.appending(Array(name)).status
          isOne = status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
          if status == nil { target = Self.target(of: name, in: descriptor) }
        }
        if !isOne, PictureParts.suffix(of: name).map({ listSuffixes.contains($0) }) ?? false { list = Array(name) }
        if PictureParts.isSidecar(name, isFolder: isOne) { return }
        if let target, !PictureParts.isSidecar(name, isFolder: true),
          lost.map({ name.lexicographicallyPrecedes($0.name) }) ?? true
        {
          lost = (Array(name), target)
        }
        names.append(name)
        isFolder.append(isOne)
      }
    }
    return (names, isFolder, list, lost)
  }

  /// What a symbolic link says; nil for what is none.
  /// - Parameter name: ends before a zero byte.
  private static func target(of name: UnsafeRawBufferPointer, in folder: Int32) -> [UInt8]? {
    let link = name.baseAddress!.assumingMemoryBound(to: CChar.self)
    let size = Int(PATH_MAX)
    let target = [UInt8](unsafeUninitializedCapacity: size) { memory, count in
      memory.withMemoryRebound(to: CChar.self) { count = max(0, readlinkat(folder, link, $0.baseAddress!, size)) }
    }
    return target.isEmpty ? nil : target
  }
}
