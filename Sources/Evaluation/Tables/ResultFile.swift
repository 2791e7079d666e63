import Foundation
import TensorStream

/// Reads results: JSON lines, one JSON document (an object, or a list of them), or a table with tabs between and a first line of
/// names.
///
/// Objects inside an object are opened: `{"a":{"b":1}}` has the field `a.b`, and `{"a":[5]}` has `a.0`. `null` is no value, and
/// in a table neither is `-` nor an empty cell. Lines of a table that start with `#` are comments.
public enum ResultFile {
  /// More than this is no file of results.
  public static let limit = 1 << 28

  /// - Parameters:
  ///   - path: `-` is standard input.
  ///   - pattern: see `PathPattern`.
  /// - Returns: at least one record. The field `file` is the file's name without its ending, where it has no such field.
  /// - Throws: `Failure` naming the file, the line, what was expected and what was found.
  public static func read(path: String, pattern: PathPattern? = nil) throws -> [ResultRecord] {
    let name = path == "-" ? "standard input" : path
    var records = try parse(bytes(path, name), name: name)
    if records.isEmpty { throw Failure(.data, "\(name): holds no results") }
    let keys = try pattern?.keys(of: path) ?? []
    let file = path == "-" ? "-" : ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    for i in records.indices {
      if records[i]["file"] == nil { records[i]["file"] = .text(file) }
      for (key, value) in keys { records[i][key] = .text(value) }
    }
    return records
  }

  private static func bytes(_ path: String, _ name: String) throws -> Data {
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      if isFolder(path) { throw Failure(.noInput, "\(name): is a folder: expected a file of results") }
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      if descriptor < 0 { throw Failure(.noInput, "\(name): \(String(cString: strerror(errno)))") }
      handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
    var data = Data()
    do {
      while let part = try handle.read(upToCount: 1 << 20), !part.isEmpty {
        data.append(part)
        if data.count > limit {
          throw Failure(.data, "\(name): is larger than \(limit >> 20) MiB: no file of results")
        }
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(.io, "\(name): cannot be read: \(error.localizedDescription)")
    }
    return data
  }

  static func parse(_ data: Data, name: String) throws -> [ResultRecord] {
    guard var text = String(data: data, encoding: .utf8), !text.utf8.contains(0) else {
      throw Failure(.data, "\(name): expected JSON lines, or a table with tabs between; found bytes that are no text")
    }
    if text.hasPrefix("\u{FEFF}") { text.removeFirst() }
    switch text.first(where: { !$0.isWhitespace }) {
    case nil: return []
    case "{", "[": return try json(text, name: name)
    default: return try table(text, name: name)
    }
  }

  private static func json(_ text: String, name: String) throws -> [ResultRecord] {
    if let whole = try? JSONDecoder().decode(JSONTree.self, from: Data(text.utf8)) {
      guard case .list(let items) = whole else { return [try record(whole, place: name)] }
      return try items.enumerated().map { try record($1, place: "\(name): item \($0 + 1)") }
    }
    return try lines(text).compactMap { number, line in
      if line.allSatisfy(\.isWhitespace) { return nil }
      let place = "\(name): line \(number)"
      guard let tree = try? JSONDecoder().decode(JSONTree.self, from: Data(line.utf8)) else {
        throw Failure(.data, "\(place): expected a JSON object on a line, found \(quoted(String(line)))")
      }
      return try record(tree, place: place)
    }
  }

  private static func record(_ tree: JSONTree, place: String) throws -> ResultRecord {
    guard case .object = tree else { throw Failure(.data, "\(place): expected a JSON object") }
    var fields: [String: ResultRecord.Value?] = [:]
    tree.open("", into: &fields)
    return ResultRecord(
      place: place, fields: fields.compactMapValues { $0 }, missing: Set(fields.filter { $1 == nil }.keys))
  }

  private static func table(_ text: String, name: String) throws -> [ResultRecord] {
    var names: [String] = []
    var records: [ResultRecord] = []
    for (number, line) in lines(text) where !line.isEmpty && !line.hasPrefix("#") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if names.isEmpty {
        names = cells
        if let twice = names.indices.first(where: { names[..<$0].contains(names[$0]) || names[$0].isEmpty }) {
          throw Failure(
            .data,
            "\(name): line \(number): column \(twice + 1) is called \(quoted(names[twice])): expected a name of its own"
          )
        }
        continue
      }
      guard cells.count == names.count else {
        throw Failure(
          .data, "\(name): line \(number): expected \(names.count) columns with tabs between, found \(cells.count)")
      }
      var record = ResultRecord(place: "\(name): line \(number)", fields: [:], missing: Set(names))
      for (name, cell) in zip(names, cells) where cell != "-" && cell != "" { record[name] = .text(cell) }
      records.append(record)
    }
    return records
  }

  /// Lines with their numbers, without their ends.
  private static func lines(_ text: String) -> [(Int, Substring)] {
    text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.enumerated().map { ($0 + 1, $1) }
  }
}

/// What JSON can hold.
private indirect enum JSONTree: Decodable {
  case object([String: JSONTree])
  case list([JSONTree])
  case leaf(ResultRecord.Value)
  case null

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let truth = try? value.decode(Bool.self) {
      self = .leaf(.text(truth ? "true" : "false"))
    } else if let number = try? value.decode(Double.self) {
      self = .leaf(.number(number))
    } else if let text = try? value.decode(String.self) {
      self = .leaf(.text(text))
    } else if let list = try? value.decode([JSONTree].self) {
      self = .list(list)
    } else {
      self = .object(try value.decode([String: JSONTree].self))
    }
  }

  func open(_ prefix: String, into fields: inout [String: ResultRecord.Value?]) {
    switch self {
    case .null: fields[prefix] = .some(nil)
    case .leaf(let value): fields[prefix] = value
    case .list(let items): for (i, item) in items.enumerated() { item.open(Self.join(prefix, "\(i)"), into: &fields) }
    case .object(let members): for (key, item) in members { item.open(Self.join(prefix, key), into: &fields) }
    }
  }

  private static func join(_ prefix: String, _ key: String) -> String { prefix.isEmpty ? key : "\(prefix).\(key)" }
}
