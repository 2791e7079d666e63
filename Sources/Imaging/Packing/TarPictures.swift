// The pictures of a tar file: WebDataset's layout, or class/name.jpg.

import Foundation
import TensorStream

/// Pictures in a tar file, in its order.
///
/// Members of one key (the name up to its first dot, folders included) that follow each other are a sample: `key.jpg`, `.jpeg` or `.png` is its picture;
/// `key.cls` (a number or a name) or the field `label` or `cls` of `key.json` its label. Where no member says a label, the folder that a picture lies
/// in does; where there are no folders either, there are no labels. Other members are left out, and so are names that begin with a dot.
struct TarPictures: PictureSource {
  let name: String
  private(set) var classes: [String]?
  let pixelShape: PixelShape? = nil
  private let storage: Storage
  private var names = NameTable()
  /// Where each picture's bytes begin; −1 for a link.
  private var offsets: [Int] = []
  private var sizes: [Int] = []
  private var labels: [Int32] = []

  var count: Int { names.count }

  private static let maximumLabelSize = 1 << 24

  /// Named files are opened for each picture: a set may have more shards than a process may have open files.
  private enum Storage: Sendable {
    case named(FilePath, FileStamp)
    /// A copy without a name.
    case kept(ByteFile)
  }

  /// Members of one key.
  private struct Sample {
    var key: [UInt8] = []
    /// Pictures whose name has one dot, and those that have more.
    var pictures: [TarMember] = []
    var others: [TarMember] = []
    var label: [UInt8]?
    var labelName: [UInt8]?
  }

  /// - Parameters:
  ///   - file: a regular file, not compressed.
  ///   - path: its name; nil where it has none.
  ///   - unlabelled: leaves labels alone.
  init(_ file: ByteFile, path named: String?, classNames: [String]?, unlabelled: Bool) throws {
    storage = named.map { .named(FilePath($0), file.stamp) } ?? .kept(file)
    name = file.name
    var members = TarMembers(file)
    var sample = Sample()
    var stated = LabelTable()
    var fromFolder = LabelTable()
    while let member = try members.next() {
      guard member.isFile || member.isLink else { continue }
      let base = member.name[((member.name.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
      guard base.first != UInt8(ascii: "."), let dot = base.firstIndex(of: UInt8(ascii: ".")) else { continue }
      let key = Array(member.name[..<dot])
      if key != sample.key {
        try finish(sample, &stated, &fromFolder)
        sample = Sample(key: key)
      }
      try take(member, suffix: Self.lowercased(base[(dot + 1)...]), of: file, into: &sample, unlabelled: unlabelled)
    }
    try finish(sample, &stated, &fromFolder)
    guard count > 0 else { throw Failure(.data, "\(name): no member is a picture (name.jpg, name.jpeg or name.png)") }
    if unlabelled { return }
    if stated.hasLabels {
      if let made = try stated.finished(source: name, classNames: classNames, path: path) { (labels, classes) = made }
    } else if fromFolder.hasLabels {
      // As of a folder: by name.
      let checked = try fromFolder.finished(source: name, classNames: classNames, path: path)
      (labels, classes) = classNames == nil ? fromFolder.sortedByName() : checked!
    }
  }

  private static func lowercased(_ text: some Collection<UInt8>) -> String {
    String(decoding: text, as: UTF8.self).lowercased()
  }

  private static func isPicture(_ suffix: some StringProtocol) -> Bool {
    ["jpg", "jpeg", "png"].contains(String(suffix))
  }

  private func take(
    _ member: TarMember, suffix: String, of file: ByteFile, into sample: inout Sample, unlabelled: Bool
  ) throws {
    if Self.isPicture(suffix) {
      sample.pictures.append(member)
    } else if Self.isPicture(suffix.split(separator: ".", omittingEmptySubsequences: false).last ?? "") {
      sample.others.append(member)
    } else if suffix == "cls" || suffix == "json", !unlabelled, member.isFile {
      let what = "\(name): \(FilePath.printable(member.name))"
      guard member.size <= Self.maximumLabelSize else {
        throw Failure(
          .data, "\(what): \(grouped(member.size)) bytes: at most \(grouped(Self.maximumLabelSize)) are accepted")
      }
      let bytes = try file.bytes(at: member.offset, count: member.size)
      if suffix == "cls" {
        let label = Self.trimmed(bytes)
        guard !label.isEmpty else { throw Failure(.data, "\(what): is empty, expected a class") }
        sample.label = label
      } else {
        sample.label = try sample.label ?? Self.label(json: bytes, what: what)
      }
      if sample.label != nil { sample.labelName = member.name }
    }
  }

  private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    let isSpace = { (byte: UInt8) in byte <= 0x20 }
    return Array(bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  }

  private static func label(json bytes: [UInt8], what: String) throws -> [UInt8]? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
      throw Failure(.data, "\(what): not a JSON object")
    }
    switch object["label"] ?? object["cls"] {
    case nil, is NSNull: return nil
    case let text as String: return Array(text.utf8)
    case let number as NSNumber where number.doubleValue == Double(number.intValue):
      return Array(String(number.intValue).utf8)
    case let other?: throw Failure(.data, "\(what): its label is \(other): expected a number or a name")
    }
  }

  /// Appends a sample's pictures. Of a sample with a label, `key.seg.png` beside `key.jpg` is something else than its picture.
  private mutating func finish(_ sample: Sample, _ stated: inout LabelTable, _ fromFolder: inout LabelTable) throws {
    let hasPicture = !sample.pictures.isEmpty
    let pictures = hasPicture && sample.label != nil ? sample.pictures : sample.pictures + sample.others
    if pictures.isEmpty, let labelName = sample.labelName {
      throw Failure(
        .data,
        "\(name): \(FilePath.printable(labelName)): a label without a picture next to it: the members of a sample must follow each other"
      )
    }
    for member in pictures {
      names.append(member.name)
      offsets.append(member.isLink ? -1 : member.offset)
      sizes.append(member.size)
      stated.append(sample.label)
      let folder = member.name.split(separator: UInt8(ascii: "/")).dropLast().last
      fromFolder.append(folder.flatMap { $0.elementsEqual([UInt8(ascii: ".")]) ? nil : Array($0) })
    }
  }

  func label(_ index: Int) -> Int32 { labels[index] }

  func path(_ index: Int) -> String { "\(name): \(FilePath.printable(names[index]))" }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    guard offsets[index] >= 0 else { throw Failure(.data, "\(path(index)): a link, not a file") }
    let size = sizes[index]
    guard size <= maximumPictureFileSize else {
      throw Failure(.data, "\(path(index)): \(size) bytes: at most \(maximumPictureFileSize) are accepted")
    }
    let base = memory.reserve(size)
    guard try opened().read(into: base, count: size, at: offsets[index]) == size else {
      throw Failure(.io, "\(path(index)): the tar file ends inside it: changed while being read")
    }
    return UnsafeRawBufferPointer(start: base, count: size)
  }

  private func opened() throws -> ByteFile {
    switch storage {
    case .kept(let file): return file
    case .named(let path, let stamp):
      do {
        let file = try ByteFile(path)
        if file.stamp == stamp { return file }
      } catch {
        // Not one bad picture: the whole file is gone.
        throw Failure(.io, "\(error)")
      }
      throw Failure(.io, "\(name): changed while being read")
    }
  }
}
