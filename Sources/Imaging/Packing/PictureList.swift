// A list of picture files: columns, lines of paths, or JSON; and the list of Oxford's Pets.

import Foundation
import TensorStream

/// Files that a list names, in its order, with the labels that it gives.
struct PictureList: PictureSource {
  let name: String
  private(set) var labels: SourceLabels
  let pixelShape: PixelShape? = nil
  private var names = NameTable()
  private let files: ListFiles

  var count: Int { names.count }

  private enum Form {
    case columns(DelimitedList)
    case lines(PlainList)
    case json(JSONList)

    var line: Int {
      switch self {
      case .columns(let list): list.line
      case .lines(let list): list.line
      case .json(let list): list.line
      }
    }
    var says: (origin: String, absence: String) {
      switch self {
      case .columns(let list): (list.origin, list.absence)
      case .lines(let list): (list.origin, list.absence)
      case .json(let list): (list.origin, list.absence)
      }
    }
    mutating func next() throws -> ListRow? {
      switch self {
      case .columns(var list):
        defer { self = .columns(list) }
        return try list.next()
      case .lines(var list):
        defer { self = .lines(list) }
        return try list.next()
      case .json(var list):
        defer { self = .json(list) }
        return try list.next()
      }
    }
  }

  /// - Parameter path: the file's, which says where its paths begin.
  /// - Throws: `Failure(.data)` that names the line, where it is no such list; `.usage` for a column that it has not.
  init(_ file: ByteFile, path: FilePath, options: SourceOptions) throws {
    name = file.name
    let text = try ListText.read(file)
    let start = ListFiles(
      root: options.root.map { FilePath(operand: $0) }
        ?? (path.bytes == [UInt8(ascii: "-")] ? FilePath(".") : path.folder))
    var form: Form
    if JSONList.isJSON(text), !start.isThere(trimmed(text.prefix { $0 != 10 && $0 != 13 })) {
      form = .json(try JSONList(text, list: name, options: options))
    } else if let separator = ListText.separator(text, path: name, isFile: start.isThere) {
      form = .columns(DelimitedList(text, separator: separator, list: name, files: start, options: options))
    } else {
      form = .lines(PlainList(text, list: name, files: start, options: options))
    }
    var table = LabelTable()
    var splits: Set<String> = []
    do {
      while let row = try form.next() {
        if let part = row.split { splits.insert(printable(part)) }
        if let split = options.split, row.split != Array(split.utf8) { continue }
        names.append(row.path)
        if !options.unlabelled { table.append(row.label) }
      }
    } catch Damage.malformed(let what) {
      throw Failure(.data, "\(name): line \(form.line): \(what)")
    }
    if case .lines(let list) = form { files = list.files } else { files = start }
    labels = .none(form.says.absence)
    if let split = options.split, count == 0 {
      throw Failure(
        .usage,
        "\(name): --split \(split): "
          + (splits.isEmpty ? "it has no column split" : "its parts are \(splits.sorted().joined(separator: ", "))"))
    }
    guard count > 0 else { throw Failure(.data, "\(name): a list without a picture") }
    if options.split == nil, splits.count > 1 {
      labels.notes.append(
        "\(name) has the parts \(splits.sorted().joined(separator: ", ")), all of which are packed; --split packs one")
    }
    guard table.hasLabels else { return }
    labels.kind = .said
    labels.table = table
    labels.origin = form.says.origin
    // Pets' classes are numbered by its own list.
    if case .lines(let list) = form, list.isPets {
      labels.order = list.pets.sorted { $0.key < $1.key }.map { printable($0.value) }
    }
  }

  func path(_ index: Int) -> String { files.path(Array(names[index])).description }

  func file(_ index: Int) -> FilePath? { files.path(Array(names[index])) }

  func entryName(_ index: Int, isAlone: Bool) -> [UInt8] {
    isAlone ? Array(names[index]) : files.path(Array(names[index])).bytes
  }

  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    try files.open(Array(names[index])).readAll(into: memory, limit: maximumPictureFileSize)
  }
}
