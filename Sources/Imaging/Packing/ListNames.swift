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

  /// Whether a first row is a header by its words, although a file may be called like one of them. `image,label` is one
  /// whatever there is, and `image,7` where only `image.png` is there: a suffix is not added to such a word.
  /// - Parameters:
  ///   - place: where its path would be.
  ///   - isFile: whether that is a picture as it stands: by its suffix, or as a file that is there.
  static func areWords(_ row: [String], path place: Int, isFile: Bool) -> Bool {
    guard let known = Self.place(of: paths, in: row), known == place || !isFile else { return false }
    return Self.place(of: labels, in: row) != nil || (known == place && !isFile)
  }

  /// The first of these names among the keys of an object.
  static func key(of keys: some Collection<String>, among known: [String]) -> String? {
    let sorted = keys.sorted()
    return place(of: known, in: sorted).map { sorted[$0] }
  }

  /// A label in JSON as text; nil for none.
  /// - Parameter separator: of pictures with several classes, which may be a list too.
  /// - Throws: `Failure(.data)` for what is neither a number nor a name, and for a number too large to be exact.
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
      guard isExact(number) else {
        throw Failure(
          .data,
          "\(what): its label, about \(number.stringValue), is too large a number to be read to the last digit: put it "
            + "in quotes")
      }
      if abs(number.doubleValue) < exactWholes, let whole = Int(exactly: number.doubleValue) {
        return Array(String(whole).utf8)
      }
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

  /// Below it a whole double is the number that was written; from it on it may be that number's neighbour.
  private static let exactWholes = 0x1p53

  /// Whether a number is the one that was written, so that two classes cannot become one. The reader takes whole
  /// numbers of 64 bits as they are, others of many digits as decimal numbers of 38 digits, and the rest as doubles.
  private static func isExact(_ number: NSNumber) -> Bool {
    let size = abs(number.doubleValue)
    if size < exactWholes { return true }
    if number is NSDecimalNumber { return size < 1e38 }
    return !["d", "f"].contains(String(cString: number.objCType))
  }
}
