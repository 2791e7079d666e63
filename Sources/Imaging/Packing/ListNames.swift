// What columns of lists, and keys of JSON objects, are called.

import Foundation
import TensorStream

enum ListNames {
  static let paths = [
    "path", "file", "filename", "filepath", "image", "imagepath", "imagefile", "img", "imgpath", "picture",
  ]
  static let labels = ["label", "class", "cls", "category", "target", "classname", "labelname"]
  static let splits = ["split", "subset", "partition", "fold"]

  /// The name without blanks and case: `file_name`, `File Name` and `file-name` are one.
  static func plain(_ name: String) -> String {
    name.lowercased().filter { !($0 == "_" || $0 == "-" || $0.isWhitespace) }
  }

  /// The place of a column that an option names: its number from 1, or its name, which makes the row a header.
  /// - Throws: `Failure(.usage)` where the row has no such column.
  static func column(
    _ option: String, _ name: String?, in row: [String], list: String
  ) throws -> (place: Int, isName: Bool)? {
    guard let name else { return nil }
    if let number = Int(name), (1...row.count).contains(number) { return (number - 1, false) }
    if let place = row.firstIndex(of: name) ?? Self.place(of: [plain(name)], in: row) { return (place, true) }
    let shown = row.map { printable($0.utf8) }.joined(separator: ", ")
    throw Failure(
      .usage, "\(list): \(option) \(name): its columns are \(shown): expected one of them, or its number from 1")
  }

  /// Where in a row the first of these names is.
  static func place(of known: [String], in row: [String]) -> Int? {
    let plain = row.map(plain)
    return known.lazy.compactMap { plain.firstIndex(of: $0) }.first
  }

  /// The same of the keys of an object.
  static func key(of keys: some Collection<String>, among known: [String]) -> String? {
    let sorted = keys.sorted()
    return place(of: known, in: sorted).map { sorted[$0] }
  }

  /// A label in JSON as text; nil for none.
  /// - Parameter separator: of pictures with several classes, which may be a list too.
  /// - Throws: `Failure(.data)` for what is neither a whole number nor a name.
  static func label(_ value: Any?, separator: String? = nil, what: String) throws -> [UInt8]? {
    if let separator, let list = value as? [Any] {
      let parts = try list.map { String(decoding: try label($0, what: what) ?? [], as: UTF8.self) }
      if let part = parts.first(where: { $0.contains(separator) }) {
        throw Failure(
          .data, "\(what): the class \(quoted(part)) has the separator \(quoted(separator)) in it: choose another")
      }
      return Array((parts.isEmpty ? separator : parts.joined(separator: separator)).utf8)
    }
    switch value {
    case nil, is NSNull: return nil
    case let text as String:
      let bytes = trimmed(text.utf8)
      return bytes.isEmpty ? nil : bytes
    case let number as NSNumber where isBoolean(number):
      throw Failure(
        .data,
        "\(what): its label is \(number.boolValue): expected a number or a name; --no-labels packs pictures alone")
    case let number as NSNumber:
      if let whole = Int(exactly: number.doubleValue) { return Array(String(whole).utf8) }
      return Array(number.stringValue.utf8)
    case let other?:
      let kind = other is [Any] ? "a list" : other is [String: Any] ? "an object" : "\(other)"
      throw Failure(
        .data,
        "\(what): its label is \(kind): expected a number or a name; --no-labels packs pictures alone"
          + (other is [Any] ? ", --label-separator those of several classes" : ""))
    }
  }

  private static func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
