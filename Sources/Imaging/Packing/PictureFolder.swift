// A folder of picture files. All names are read first. A file is opened when its picture is needed.

import Foundation
import TensorStream

/// A folder of picture files. Where it has sub-folders, each is a class, and every file in it or below belongs to that
/// class. Where it has none, or where labels are left out, the files have no labels. Names that start with a dot are
/// left out, as `ls` does.
struct PictureFolder: PictureSource {
  let name: String
  private(set) var labels: SourceLabels
  let pixelShape: PixelShape? = nil
  private let root: FilePath
  private let takesParts: Bool
  private var names = NameTable()
  private var folderOfName: [Int32] = []
  /// Folders, from the root on.
  private var folders: [[UInt8]] = []
  private var parts: (count: Int, first: String?) = (0, nil)
  /// The first file that would say a label in a tar file.
  private var stated: String?

  var count: Int { names.count }

  /// Reads the names.
  /// - Throws: `Failure(.data)` for a folder without files, or with a folder that leads back to itself; `.noInput` for one
  ///   that cannot be read, and for a link to nothing beside class folders.
  init(_ path: FilePath, options: SourceOptions) throws {
    root = path
    name = root.description
    takesParts = options.takesMasks
    labels = SourceLabels(.folders, origin: "the folders of \(name)")
    if let version = Self.pythonCIFAR(root) { throw Failure(.data, "\(name): \(version)") }
    var top: [UInt8] = []
    if let split = options.split {
      top = Array(split.utf8)
      guard root.appending(top).status.map({ $0.st_mode & S_IFMT == S_IFDIR }) ?? false else {
        let there = try FolderListing(root, takesParts: false).folders.map { printable($0) }
        throw Failure(
          .usage,
          "\(name): --split \(split): there is no such folder in it\(there.isEmpty ? "" : ": it has \(there.joined(separator: ", "))")"
        )
      }
      labels.origin = "the folders of \(root.appending(top).description)"
    }
    let listing = try FolderListing(root.appending(path: top), takesParts: takesParts)
    append(listing, in: top)
    if options.unlabelled || listing.folders.isEmpty {
      if options.unlabelled {
        let stamp = try ByteFile(root.appending(path: top)).stamp
        for folder in listing.folders { try appendAll(below: top + Self.separator(top) + folder, within: [stamp]) }
      }
      let nearest =
        stated.map { "; \($0) and its like are read in a tar file alone: \(asTar)" }
        ?? listing.list.map {
          "; \(root.appending(path: top).appending($0).description) lies in it: if it lists labels, name it as the source"
        }
      labels = .none("\(name) has no sub-folders, which would be classes\(nearest ?? "")")
    } else {
      if let lost = listing.lost {
        let folder = root.appending(path: top)
        throw Failure(
          .noInput,
          "\(folder.appending(lost.name).description): a link to \(printable(lost.target)), which cannot be reached, "
            + "beside the class folders of \(folder.description): it may be a class, and others would take its number: "
            + "mend it or remove it; --no-labels packs pictures alone")
      }
      for _ in 0..<count { labels.table.append(nil) }
      let stamp = try ByteFile(root.appending(path: top)).stamp
      for folder in listing.folders {
        let before = count
        try appendAll(below: top + Self.separator(top) + folder, within: [stamp])
        _ = labels.table.place(of: folder)
        for _ in before..<count { labels.table.append(folder) }
      }
    }
    if parts.count > 0, !options.takesMasksBeside, let first = parts.first {
      labels.notes.append(PictureParts.note(parts.count, first))
    }
    if labels.hasLabels, let stated {
      labels.notes.append(
        "\(stated) and its like are not read, since the folders are the classes; in a tar file they are: \(asTar)")
    }
    guard count > 0 else {
      // Empty classes say more.
      if labels.hasLabels && !options.allowsEmptyClasses { return }
      throw Failure(.data, "\(name): an empty folder: there are no pictures in it")
    }
  }

  /// A command that packs the folder by way of a tar file, where labels may lie beside pictures.
  private var asTar: String { "tar --sort=name -cf - \(name) | pmae-pack - …" }

  private static func separator(_ path: [UInt8]) -> [UInt8] { path.isEmpty ? [] : [UInt8(ascii: "/")] }

  /// What to do with CIFAR's version for Python; nil where the folder holds something else.
  private static func pythonCIFAR(_ folder: FilePath) -> String? {
    func has(_ name: String) -> Bool { folder.appending(Array(name.utf8)).isFile }
    let isTen = has("batches.meta") && has("data_batch_1")
    guard isTen || (has("meta") && has("train") && has("test")) else { return nil }
    return pythonVersion(of: isTen ? "CIFAR-10" : "CIFAR-100")
  }

  static func pythonVersion(of name: String) -> String {
    let file = name.lowercased()
    return
      "\(name) as Python objects (pickles), which are not read: take its binary version, \(file)-binary.tar.gz from the "
      + "same place, unpack it, and name the folder it makes"
  }

  func path(_ index: Int) -> String { place(index).description }

  func file(_ index: Int) -> FilePath? { place(index) }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    if !isAlone { return place(index).bytes }
    let folder = folders[Int(folderOfName[index])]
    return folder + Self.separator(folder) + names[index]
  }

  private func place(_ index: Int) -> FilePath {
    root.appending(path: folders[Int(folderOfName[index])]).appending(Array(names[index]))
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try ByteFile(place(index)).readAll(into: memory, limit: maximumPictureFileSize)
  }

  private mutating func append(_ listing: FolderListing, in folder: [UInt8]) {
    let files = listing.files
    if files.count > 0 {
      folders.append(folder)
      for i in 0..<files.count { names.append(files[i]) }
      folderOfName += repeatElement(Int32(folders.count - 1), count: files.count)
    }
    if stated == nil, let label = listing.label {
      stated = root.appending(path: folder).appending(label).description
    }
    if let first = listing.parts.first {
      parts = (
        parts.count + listing.parts.count, parts.first ?? root.appending(path: folder).appending(first).description
      )
    }
  }

  /// All files below a folder: its own first, then each sub-folder's. `above` are the folders on the way here, so that
  /// a link that leads back up is an error, and not an endless walk.
  private mutating func appendAll(below folder: [UInt8], within above: [FileStamp]) throws {
    let path = root.appending(path: folder)
    let stamp = try ByteFile(path).stamp
    guard !above.contains(where: { $0.inode == stamp.inode && $0.device == stamp.device }) else {
      throw Failure(.data, "\(path.description): a link back to a folder that it is in")
    }
    let listing = try FolderListing(path, takesParts: takesParts)
    append(listing, in: folder)
    for subfolder in listing.folders {
      try appendAll(below: folder + [UInt8(ascii: "/")] + subfolder, within: above + [stamp])
    }
  }
}

extension FilePath {
  /// This folder, or what a path from it on leads to; an empty one leads nowhere.
  func appending(path: [UInt8]) -> FilePath { path.isEmpty ? self : appending(path) }
}
