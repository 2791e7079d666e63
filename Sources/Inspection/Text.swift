// Values of metadata made fit for a person's terminal.

import CommandLineKit
import Foundation
import TensorStream

/// At most `limit` characters, with an ellipsis where some were left out.
func shortened(_ text: String, to limit: Int = 160) -> String {
  text.count <= limit ? text : text.prefix(limit - 1) + "…"
}

/// The JSON value in a metadata string, where there is one.
func parsed(_ text: String) -> Any? {
  try? JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
}

/// A number, string, list or dictionary from JSON in one line: lists as "a, b, c", dictionaries as "a 1, b 2".
func oneLine(_ value: Any) -> String {
  switch value {
  case let list as [Any]:
    let shown = list.prefix(12).map(oneLine).joined(separator: ", ")
    return list.count > 12 ? "\(shown), … (\(grouped(list.count)))" : shown
  case let dictionary as [String: Any]:
    return dictionary.sorted { $0.key < $1.key }.map { "\($0.key) \(oneLine($0.value))" }.joined(separator: ", ")
  case let text as String:
    return text
  case is NSNull:
    return "null"
  default:
    return "\(value)"
  }
}

/// "12.3 MB"
func sizeText(_ bytes: Int) -> String {
  var value = Double(bytes)
  for unit in ["bytes", "kB", "MB", "GB"] {
    if value < 1000 { return unit == "bytes" ? "\(bytes) bytes" : String(format: "%.1f %@", value, unit) }
    value /= 1000
  }
  return String(format: "%.1f TB", value)
}
