import Foundation

/// Text of a page. What comes from outside, such as a picture's name, goes in by `escaped` alone.
struct HTML {
  private(set) var text = ""

  /// Text as a browser shows it, inside an element or an attribute's quotes.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Marks of this package's own.
  mutating func add(_ marks: String) { text += marks }

  /// An element around text from outside.
  mutating func element(_ name: String, _ content: String, _ attributes: String = "") {
    text += "<\(name)\(attributes.isEmpty ? "" : " " + attributes)>\(Self.escaped(content))</\(name)>"
  }

  /// A table in a region that scrolls by itself, so that a wide table does not widen the page, and that the keyboard reaches.
  /// - Parameters:
  ///   - caption: what it is called.
  ///   - columns: headings; one that starts with a space is of words, the others are of numbers.
  ///   - rows: cells of text from outside.
  mutating func table(_ caption: String, columns: [String], rows: [[String]]) {
    text += "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(Self.escaped(caption))\"><table>"
    element("caption", caption)
    text += "<thead><tr>"
    let isWords = columns.map { $0.hasPrefix(" ") }
    for (column, words) in zip(columns, isWords) {
      element("th", words ? String(column.dropFirst()) : column, "scope=\"col\"" + (words ? " class=\"words\"" : ""))
    }
    text += "</tr></thead><tbody>"
    for row in rows {
      text += "<tr>"
      for (cell, words) in zip(row, isWords) { element("td", cell, words ? "class=\"words\"" : "") }
      text += "</tr>\n"
    }
    text += "</tbody></table></div>\n"
  }
}

/// A number as a page shows it: four digits that count.
func shown(_ value: Double) -> String {
  if !value.isFinite { return "–" }
  return abs(value) >= 1000 ? String(format: "%.0f", value) : String(format: "%.4g", value)
}

/// A share in percent.
func percent(_ share: Double) -> String { share.isFinite ? String(format: "%.1f %%", 100 * share) : "–" }
