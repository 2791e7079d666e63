// Names that may hold any bytes, as people can read them.

/// Text as it is; other bytes and control characters as \n, \t or \xNN, and \ as \\, so that two names never look the same and a
/// message stays on its line.
public func printableText(_ bytes: some Sequence<UInt8>) -> String {
  func escaped(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return "\\x" + (digits.count == 1 ? "0" : "") + digits
  }
  var text = ""
  var rest = Array(bytes)[...]
  while !rest.isEmpty {
    var decoder = UTF8()
    var iterator = rest.makeIterator()
    if case .scalarValue(let scalar) = decoder.decode(&iterator) {
      switch scalar {
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\\": text += "\\\\"
      default:
        if scalar.value < 32 || scalar.value == 127 {
          text += escaped(UInt8(scalar.value))
        } else {
          text.unicodeScalars.append(scalar)
        }
      }
      rest = rest.dropFirst(UTF8.width(scalar))
    } else {
      text += escaped(rest.first!)
      rest = rest.dropFirst()
    }
  }
  return text
}
