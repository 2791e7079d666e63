// Names and texts of somebody else, as people can read them: on one line, and without anything that drives a terminal.

/// Text as it is. Other bytes, control characters and characters that nobody sees are \n, \t, \r or their bytes as \xNN, and \ is
/// \\, so that two names never look the same.
package func printable(_ bytes: some Sequence<UInt8>) -> String { printable(Array(bytes), isEscaped: false) }

/// The same, but for \, which stays as it is: for text that may have been made printable before.
package func printable(_ text: String) -> String { printable(Array(text.utf8), isEscaped: true) }

private func printable(_ bytes: [UInt8], isEscaped: Bool) -> String {
  var text = ""
  var rest = bytes[...]
  while let first = rest.first {
    var decoder = UTF8()
    var iterator = rest.makeIterator()
    var width = 1
    if case .scalarValue(let scalar) = decoder.decode(&iterator) {
      width = UTF8.width(scalar)
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\\": text += isEscaped ? "\\" : "\\\\"
      case _ where isHidden(scalar): text += rest.prefix(width).map(hexadecimal).joined()
      default: text.unicodeScalars.append(scalar)
      }
    } else {
      text += hexadecimal(first)
    }
    rest = rest.dropFirst(width)
  }
  return text
}

private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16) }

private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  // Joiners and marks of direction belong to how words of some languages, and some emoji, are written.
  case "\u{200C}"..."\u{200F}": return false
  default:
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}
