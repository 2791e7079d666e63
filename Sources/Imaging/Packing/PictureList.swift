// A list of picture files: CSV, TSV, or words between spaces; and the list of Oxford's Pets.

import Foundation
import TensorStream

/// Files that a list names, in its order, with the labels that it gives.
struct PictureList: PictureSource {
  let name: String
  private(set) var classes: [String]?
  let pixelShape: PixelShape? = nil
  private var names = NameTable()
  private var labels: [Int32] = []
  private let root: FilePath

  var count: Int { names.count }

  struct Options: Sendable {
    /// The folder that paths are relative to; nil: the list's own.
    var root: String?
    /// Columns by the name in the first row, or by number from 1; nil for the usual names, or the first and the second.
    var pathColumn: String?
    var labelColumn: String?
  }

  private static let pathNames = ["path", "file", "filename", "file_name", "filepath", "image", "image_path", "img"]
  private static let labelNames = ["label", "class", "cls", "category", "target", "class_name", "label_name"]
  private static let maximumSize = 1 << 34

  /// - Parameter path: the file's, which says what separates its fields and where paths begin.
  /// - Throws: `Failure(.data)` that names the line, where it is no such list; `.usage` for a column that it has not.
  init(_ file: ByteFile, path: String, options: Options, classNames: [String]?, unlabelled: Bool) throws {
    name = file.name
    file.rewind()
    let memory = Scratch<UInt8>()
    let bytes = try file.readAll(into: memory, limit: Self.maximumSize)
    let separator = DelimitedText.Separator(path: path, firstLine: bytes.prefix { $0 != 0x0A })
    var text = DelimitedText(bytes, separator: separator)
    var root = options.root ?? Self.folder(of: path)
    var table = LabelTable()
    var pets: [Int: [UInt8]] = [:]
    var columns: (path: Int, label: Int?)?
    var isPets = false
    do {
      while let row = try text.next() {
        if columns == nil {
          isPets = separator == .spaces && options.pathColumn == nil && options.labelColumn == nil && Self.isPets(row)
          let (found, isHeader) = try Self.columns(row, options: options, list: name)
          columns = found
          if isPets, options.root == nil { root += "/../images" }
          if isHeader { continue }
        }
        let (pathColumn, labelColumn) = columns!
        guard pathColumn < row.count, !row[pathColumn].isEmpty, !row[pathColumn].contains(0) else {
          throw Damage.malformed("has no path in column \(pathColumn + 1)")
        }
        names.append(row[pathColumn])
        if unlabelled { continue }
        if isPets {
          guard Self.isPets(row), let number = LabelTable.number(row[1]) else {
            throw Damage.malformed("expected NAME_NUMBER and three numbers, as Oxford's Pets has them")
          }
          let breed = Array(row[0][..<row[0].lastIndex(of: UInt8(ascii: "_"))!])
          guard pets[number, default: breed] == breed else {
            throw Damage.malformed(
              "class \(number) is \(FilePath.printable(breed)), but was \(FilePath.printable(pets[number]!)) before")
          }
          pets[number] = breed
          table.append(breed)
        } else {
          // A label that is not there is found out by the table, which knows whether any has one.
          let label = labelColumn.flatMap { $0 < row.count && !row[$0].isEmpty ? row[$0] : nil }
          table.append(label)
        }
      }
    } catch Damage.malformed(let what) {
      throw Failure(.data, "\(name): line \(text.line): \(what)")
    }
    self.root = FilePath(root)
    guard count > 0 else { throw Failure(.data, "\(name): a list without a picture") }
    if unlabelled { return }
    // Pets' classes are numbered by its own list.
    let order = isPets ? pets.sorted { $0.key < $1.key }.map { FilePath.printable($0.value) } : nil
    let made = try table.finished(source: name, classNames: classNames ?? order) { FilePath.printable(names[$0]) }
    if let made { (labels, classes) = made }
  }

  /// `Abyssinian_1 1 1 1`: a name without a suffix, and three numbers.
  private static func isPets(_ row: [[UInt8]]) -> Bool {
    row.count == 4 && row[0].contains(UInt8(ascii: "_")) && !row[0].contains(UInt8(ascii: "."))
      && row[1...].allSatisfy { LabelTable.number($0) != nil }
  }

  /// Which columns hold paths and labels, and whether the row only says so.
  private static func columns(
    _ row: [[UInt8]], options: Options, list: String
  ) throws -> (columns: (path: Int, label: Int?), isHeader: Bool) {
    let texts = row.map { String(decoding: $0, as: UTF8.self) }
    let lower = texts.map { $0.lowercased() }
    let named = pathNames.lazy.compactMap { lower.firstIndex(of: $0) }.first
    func place(_ option: String, _ name: String) throws -> Int {
      if let place = texts.firstIndex(of: name) { return place }
      if let number = Int(name), (1...row.count).contains(number) { return number - 1 }
      throw Failure(.usage, "\(list): \(option) \(name): its columns are \(texts.joined(separator: ", "))")
    }
    let path = try options.pathColumn.map { try place("--path-column", $0) }
    let label = try options.labelColumn.map { try place("--label-column", $0) }
    let byName = [options.pathColumn, options.labelColumn].contains { $0 != nil && texts.contains($0!) }
    if byName || named != nil {
      let usual = labelNames.lazy.compactMap { lower.firstIndex(of: $0) }.first
      return ((path ?? named ?? 0, label ?? usual), true)
    }
    let first = path ?? (label == 0 ? 1 : 0)
    guard first < row.count else { throw Failure(.usage, "\(list): has one column, which --label-column takes") }
    return ((first, label ?? (row.count > 1 ? (first == 1 ? 0 : 1) : nil)), false)
  }

  private static func folder(of path: String) -> String {
    let folder = path == "-" ? "" : (path as NSString).deletingLastPathComponent
    return folder.isEmpty ? "." : folder
  }

  func label(_ index: Int) -> Int32 { labels[index] }

  func path(_ index: Int) -> String { file(index).description }

  private func file(_ index: Int) -> FilePath {
    let name = Array(names[index])
    if name.first == UInt8(ascii: "/") { return FilePath(bytes: name) }
    return root.bytes == [UInt8(ascii: ".")] ? FilePath(bytes: name) : root.appending(name)
  }

  /// A name without a suffix may lack the one that the file has.
  func bytes(_ index: Int, memory: Scratch<UInt8>) throws -> UnsafeRawBufferPointer {
    let path = file(index)
    do {
      return try ByteFile(path).readAll(into: memory, limit: maximumPictureFileSize)
    } catch let failure as Failure where failure.kind == .noInput {
      let base = path.bytes[((path.bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
      if !base.contains(UInt8(ascii: ".")) {
        for suffix in [".jpg", ".JPEG", ".jpeg", ".png"] {
          if let file = try? ByteFile(FilePath(bytes: path.bytes + Array(suffix.utf8))) {
            return try file.readAll(into: memory, limit: maximumPictureFileSize)
          }
        }
      }
      throw failure
    }
  }
}
