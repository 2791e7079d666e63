// A list as JSON: an object for each picture, in a line of its own or in one array.

import Foundation
import TensorStream

struct JSONList {
  private let lines: [ArraySlice<UInt8>]
  private let objects: [Any]?
  private var at = 0
  private(set) var line = 0
  private let list: String
  private let options: SourceOptions
  private var pathKey: String?
  private var labelKey: String?
  private var keys: [String] = []

  /// Whether a text is such a list, by its first character.
  static func isJSON(_ text: [UInt8]) -> Bool {
    let first = text.first { $0 > 0x20 }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
  }

  init(_ text: [UInt8], list: String, options: SourceOptions) throws {
    (self.list, self.options) = (list, options)
    lines = text.split(omittingEmptySubsequences: false) { $0 == 0x0A }
    let whole = text.first { $0 > 0x20 } == UInt8(ascii: "[") || lines.count { !trimmed($0).isEmpty } == 1
    let value = whole ? try? JSONSerialization.jsonObject(with: Data(text)) : nil
    objects = value.map { $0 as? [Any] ?? [$0] }
    if value == nil, text.first(where: { $0 > 0x20 }) == UInt8(ascii: "[") { throw Failure(.data, "\(list): not JSON") }
  }

  /// Throws `Damage.malformed` for a line that is none.
  mutating func next() throws -> ListRow? {
    if let objects {
      guard at < objects.count else { return nil }
      at += 1
      line = at
      return try row(objects[at - 1])
    }
    while at < lines.count {
      let text = lines[at]
      at += 1
      line = at
      if trimmed(text).isEmpty { continue }
      guard let value = try? JSONSerialization.jsonObject(with: Data(text)) else {
        throw Damage.malformed(
          "not JSON: expected an object for each picture, as {\"path\": \"cat/1.jpg\", \"label\": \"cat\"}, on a line of its own"
        )
      }
      return try row(value)
    }
    return nil
  }

  private mutating func row(_ value: Any) throws -> ListRow {
    guard let object = value as? [String: Any] else { throw Damage.malformed("expected an object, as {\"path\": …}") }
    if pathKey == nil {
      keys = object.keys.sorted()
      let shown = keys.joined(separator: ", ")
      if object["images"] is [Any], object["annotations"] != nil {
        throw Damage.malformed(
          "a file of annotations in COCO's form, which is no list: a line for each picture was expected")
      }
      if let name = options.pathColumn, object[name] == nil {
        throw Failure(.usage, "\(list): --path-column \(name): its keys are \(shown)")
      }
      pathKey = options.pathColumn ?? ListNames.key(of: keys, among: ListNames.paths)
      guard pathKey != nil else {
        throw Damage.malformed("its keys are \(shown): none is known to hold the path: --path-column names it")
      }
    }
    if labelKey == nil { labelKey = options.labelColumn ?? ListNames.key(of: object.keys, among: ListNames.labels) }
    guard let path = object[pathKey!] as? String, !path.isEmpty, !path.utf8.contains(0) else {
      throw Damage.malformed("has no path under \(quoted(pathKey!))")
    }
    let what = "\(list): line \(line)"
    let split = ListNames.key(of: object.keys, among: ListNames.splits).flatMap { object[$0] as? String }
    return ListRow(
      path: Array(path.utf8),
      label: options.unlabelled
        ? nil : try labelKey.flatMap { try ListNames.label(object[$0], separator: options.labelSeparator, what: what) },
      split: split.map { Array($0.utf8) })
  }

  var origin: String { "key \(quoted(labelKey ?? "")) of \(list)" }

  var absence: String {
    labelKey.map { "no object of \(list) has a label under \(quoted($0))" }
      ?? "\(list) has no key that is known to hold labels: its keys are \(keys.joined(separator: ", ")): --label-column names it"
  }
}
