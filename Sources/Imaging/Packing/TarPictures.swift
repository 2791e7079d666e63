// The pictures of a tar file: WebDataset's layout, or a folder for each class.

import Foundation
import TensorStream

/// Pictures in a tar file, in its order.
///
/// `TarSample` says the labels. Where no member says one, the folders do, as in a folder of the same files. Where there
/// are no folders either, there are no labels. `PictureParts` says which members are pictures, as in a folder.
struct TarPictures: PictureSource {
  let name: String
  private(set) var labels: SourceLabels
  let pixelShape: PixelShape? = nil
  private let storage: Storage
  private var names = NameTable()
  /// Where each picture's bytes begin; −1 for a link to something that is not in the tar file.
  private var offsets: [Int] = []
  private var sizes: [Int] = []
  private(set) var masks: SourceMasks?

  var count: Int { names.count }

  /// Named files are opened for each picture: a set may have more shards than a process may have open files.
  private enum Storage: Sendable {
    case named(FilePath, FileStamp)
    /// A copy without a name.
    case kept(ByteFile)
  }

  /// - Parameters:
  ///   - file: a regular file, not compressed.
  ///   - path: its name; nil where it has none.
  init(_ file: ByteFile, path named: FilePath?, options: SourceOptions) throws {
    storage = named.map { .named($0, file.stamp) } ?? .kept(file)
    name = file.name
    labels = SourceLabels(.said)
    var reader = Reading(name: name, file: file, options: options)
    try reader.readAll()
    (names, offsets, sizes) = (reader.names, reader.offsets, reader.sizes)
    if let table = options.maskTable, options.takesMasksBeside {
      masks = besides(reader.masks, table: table)
    }
    if options.unlabelled {
      labels.notes = reader.notes
    } else {
      labels = reader.labels
    }
    guard count > 0 else { throw Failure(.data, "\(name): no member is a picture") }
  }

  func path(_ index: Int) -> String { "\(name): \(printable(names[index]))" }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    guard !isAlone, case .named(let path, _) = storage else { return Array(names[index]) }
    return path.appending(Array(names[index])).bytes
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try bytes(at: offsets[index], count: sizes[index], name: path(index), memory: memory)
  }

  private func bytes(
    at offset: Int, count size: Int, name: String, memory: Scratch<UInt8>
  ) throws -> UnsafeRawBufferPointer {
    guard offset >= 0 else {
      throw Failure(
        .data,
        "\(name): a link to something else than a file of this tar file before it: tar --dereference stores what it leads to"
      )
    }
    guard size <= maximumPictureFileSize else {
      throw Failure(.data, "\(name): \(size) bytes: at most \(maximumPictureFileSize) are accepted")
    }
    let base = memory.reserve(size)
    guard try opened().read(into: base, count: size, at: offset) == size else {
      throw Failure(.io, "\(name): the tar file ends inside it: changed while being read")
    }
    return UnsafeRawBufferPointer(start: base, count: size)
  }

  /// Masks that are members, called as their pictures: `7.seg.png` of `7.jpg`.
  private func besides(_ members: [[UInt8]: (offset: Int, size: Int)], table: MaskTable) -> SourceMasks {
    let source = self
    let endings = MaskNames.endings(isBeside: true)
    return SourceMasks(table: table, origin: "the members of \(name)") { index, memory in
      let stem = Array(PictureParts.stem(source.names[index]))
      for ending in endings {
        guard let member = members[stem + ending] else { continue }
        let name = "\(source.name): \(printable(stem + ending))"
        return (name, try source.bytes(at: member.offset, count: member.size, name: name, memory: memory))
      }
      throw SourceMasks.missing(source.path(index), "a member \(printable(stem + endings[0]))")
    }
  }

  private func opened() throws -> ByteFile {
    switch storage {
    case .kept(let file): return file
    case .named(let path, let stamp):
      do {
        let file = try ByteFile(path)
        if file.stamp == stamp { return file }
      } catch {
        // This is not one bad picture: the whole file has gone.
        throw Failure(.io, "\(error)")
      }
      throw Failure(.io, "\(name): changed while being read")
    }
  }
}

/// A tar file while its members are read.
private struct Reading {
  let name: String
  let file: ByteFile
  let options: SourceOptions
  var names = NameTable()
  var offsets: [Int] = []
  var sizes: [Int] = []
  private var stated = LabelTable()
  private var fromFolder = LabelTable()
  /// Keys of JSON members that say no label.
  private var keys: Set<String> = []
  private var splits: Set<String> = []
  private(set) var notes: [String] = []
  /// Pictures that belong to another, by their names; where masks are wanted.
  private(set) var masks: [[UInt8]: (offset: Int, size: Int)] = [:]

  init(name: String, file: ByteFile, options: SourceOptions) {
    (self.name, self.file, self.options) = (name, file, options)
  }

  mutating func readAll() throws {
    var members = TarMembers(file)
    var sample = TarSample(key: [])
    var links: TarLinks?
    while var member = try members.next() {
      if member.isHardLink {
        if links == nil { links = try TarLinks(file) }
        member = links?.file(member) ?? member
      }
      let parts = FolderPaths.parts(member.name)
      guard let base = parts.last else { continue }
      if member.isFolder {
        if let folder = folder(of: member.name, isFolder: true), !Self.isHidden(parts) {
          _ = fromFolder.place(of: folder)
        }
        continue
      }
      guard member.isFile || member.isLink, !Self.isHidden(parts.dropLast()), base.first != UInt8(ascii: ".") else {
        continue
      }
      guard folder(of: member.name, isFolder: false) != nil else { continue }
      try refuse(base)
      let start = member.name.count - base.count
      let dot = member.name[start...].firstIndex(of: UInt8(ascii: ".")) ?? member.name.count
      let key = Array(member.name[..<dot])
      if key != sample.key {
        try finish(&sample)
        sample = TarSample(key: key)
      }
      if TarSample.mayLabel(base), member.isFile {
        if options.unlabelled { continue }
        try sample.takeLabel(
          member, column: options.labelColumn, separator: options.labelSeparator, keys: &keys,
          what: "\(name): \(printable(member.name))"
        ) { try file.bytes(at: member.offset, count: member.size) }
      } else if !PictureParts.isSidecar(base, isFolder: false) {
        sample.take(member)
      }
    }
    try finish(&sample)
    if let split = options.split, count == 0 {
      throw Failure(
        .usage,
        "\(name): --split \(split): no picture is in a folder of that name"
          + (splits.isEmpty ? "" : "; there are \(splits.sorted().joined(separator: ", "))"))
    }
    leaveOutParts()
  }

  private var count: Int { offsets.count }

  private static func isHidden(_ folders: [ArraySlice<UInt8>]) -> Bool {
    folders.contains { PictureParts.isSidecar($0, isFolder: true) }
  }

  /// The folder that a member is in, or is, below the chosen split; empty for none. nil where it is in another split.
  private mutating func folder(of path: [UInt8], isFolder: Bool) -> [UInt8]? {
    var parts = FolderPaths.parts(path)
    if !isFolder { _ = parts.popLast() }
    guard let split = options.split else { return Array(parts.joined(separator: [UInt8(ascii: "/")])) }
    for part in parts {
      let text = printable(part)
      if FolderNames.isSplit(text) { splits.insert(text) }
    }
    return FolderPaths.below(Array(split.utf8), in: Array(parts.joined(separator: [UInt8(ascii: "/")])))
  }

  /// CIFAR's archives, which hold no picture files.
  private func refuse(_ base: ArraySlice<UInt8>) throws {
    let text = String(decoding: base, as: UTF8.self)
    if text == "batches.meta" { throw Failure(.data, "\(name): \(PictureFolder.pythonVersion(of: "CIFAR-10"))") }
    if text == "data_batch_1.bin" || text == "fine_label_names.txt" {
      throw Failure(.data, "\(name): the archive of CIFAR: unpack it, and name the folder it makes")
    }
  }

  private mutating func finish(_ sample: inout TarSample) throws {
    for (member, label) in try sample.finished(source: name) {
      names.append(member.name)
      offsets.append(member.isLink ? -1 : member.offset)
      sizes.append(member.size)
      stated.append(label)
      let folder = folder(of: member.name, isFolder: false) ?? []
      fromFolder.append(folder.isEmpty ? nil : folder)
    }
  }

  /// Masks. They need not lie next to their pictures.
  private mutating func leaveOutParts() {
    func split(_ name: ArraySlice<UInt8>) -> (folder: ArraySlice<UInt8>, base: ArraySlice<UInt8>) {
      let start = (name.lastIndex(of: UInt8(ascii: "/")) ?? name.startIndex - 1) + 1
      return (name[..<start], name[start...])
    }
    let names = names
    var rule = PictureParts(stems: {
      (0..<names.count).filter { PictureParts.isPicture(names[$0]) }.map {
        let (folder, base) = split(names[$0])
        return PictureParts.hash(PictureParts.stem(base), folder: folder)
      }
    })
    let isOut = (0..<names.count).map { i in
      let (folder, base) = split(names[i])
      return rule.isPart(base, folder: folder) && !(options.takesMasks && PictureParts.isPicture(base))
    }
    guard isOut.contains(true) else { return }
    let masks = isOut.indices.filter { isOut[$0] && PictureParts.isPicture(names[$0]) }
    if options.takesMasksBeside {
      for i in masks { self.masks[Array(names[i])] = (offsets[i], sizes[i]) }
    } else if let first = masks.first {
      notes.append(PictureParts.note(masks.count, "\(name): \(printable(names[first]))"))
    }
    var kept = NameTable()
    for i in 0..<names.count where !isOut[i] { kept.append(names[i]) }
    self.names = kept
    offsets = zip(offsets, isOut).compactMap { $1 ? nil : $0 }
    sizes = zip(sizes, isOut).compactMap { $1 ? nil : $0 }
    stated.remove(where: isOut)
    fromFolder.remove(where: isOut)
  }

  var labels: SourceLabels {
    var labels: SourceLabels
    if stated.ids.contains(where: { $0 >= 0 }) {
      labels = SourceLabels(.said, origin: "the members of \(name)")
      labels.table = stated
    } else if fromFolder.ids.contains(where: { $0 >= 0 }) {
      labels = SourceLabels(.paths, origin: "the folders in \(name)")
      labels.table = fromFolder
    } else {
      labels = .none(
        keys.isEmpty
          ? "\(name) has no .cls or .json member beside a picture, and no folders, which would be classes"
          : "the .json members of \(name) have the keys \(keys.sorted().prefix(12).joined(separator: ", ")): --label-column "
            + "names the one that is the label")
    }
    labels.notes = notes
    return labels
  }
}
