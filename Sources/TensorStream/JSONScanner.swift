/// Reads the parts of a JSON text one after another, as far as a safetensors header and an end record need it. It is
/// stricter than Foundation's parser: the caller sees every key, so it can refuse duplicates, and an integer is exact
/// or an error.
package struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  package private(set) var position = 0

  package init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  package mutating func skipSpace() {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
  }

  /// The next byte that is not space, nil at the end.
  package mutating func peek() -> UInt8? {
    skipSpace()
    return position < bytes.count ? bytes[position] : nil
  }

  /// Takes `character` if it is next.
  package mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  package mutating func expect(_ character: Unicode.Scalar) throws {
    guard take(character) else { throw unexpected("'\(character)'") }
  }

  /// An object: `member` is called after each key's colon and must read the value. A key that came before is an error.
  package mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
    try expect("{")
    if take("}") { return }
    var keys: Set<String> = []
    repeat {
      let key = try string()
      guard keys.insert(key).inserted else { throw Damage.malformed("duplicate name \(quoted(key))") }
      try expect(":")
      try member(&self, key)
    } while take(",")
    try expect("}")
  }

  /// An array of integers that are not negative.
  package mutating func integers(limit: Int = .max) throws -> [Int] {
    var result: [Int] = []
    try expect("[")
    if take("]") { return result }
    repeat {
      guard result.count < limit else { throw Damage.malformed("a list of more than \(limit) numbers") }
      result.append(try integer())
    } while take(",")
    try expect("]")
    return result
  }

  /// An integer that is not negative and fits an `Int`, without fraction or exponent.
  package mutating func integer() throws -> Int {
    skipSpace()
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") {
      throw unexpected("a number that is not negative")
    }
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      if overflow || carry { throw Damage.malformed("a number too large, at byte \(start) of the JSON") }
      value = sum
      position += 1
    }
    guard position > start else { throw unexpected("a number") }
    if bytes[start] == 0x30, position > start + 1 { throw Damage.malformed("a number with a leading zero") }
    if position < bytes.count, [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position]) {
      throw unexpected("an integer")
    }
    return value
  }

  /// A string, its escapes resolved. Bytes that are not UTF-8, control characters and lone surrogates are errors.
  package mutating func string() throws -> String {
    guard take("\"") else { throw unexpected("a string") }
    var text: [UInt8] = []
    var start = position
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        text.append(contentsOf: bytes[start..<position])
        position += 1
        guard let result = String(validating: text, as: UTF8.self) else {
          throw Damage.malformed("a string that is not UTF-8, before byte \(position) of the JSON")
        }
        return result
      case UInt8(ascii: "\\"):
        text.append(contentsOf: bytes[start..<position])
        position += 1
        text.append(contentsOf: UTF8.encode(try escape())!)
        start = position
      case 0..<0x20: throw unexpected("no control character in a string")
      default: position += 1
      }
    }
    throw unexpected("the end of a string")
  }

  private mutating func escape() throws -> Unicode.Scalar {
    guard position < bytes.count else { throw unexpected("an escape") }
    let character = bytes[position]
    position += 1
    switch character {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(character)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var value = try hexadecimal()
      if (0xD800..<0xDC00).contains(value), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low) else { throw Damage.malformed("a lone surrogate in a string") }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else { throw Damage.malformed("a lone surrogate in a string") }
      return scalar
    default:
      position -= 1
      throw unexpected("an escape")
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  package func unexpected(_ what: String) -> Damage {
    guard position < bytes.count else { return .malformed("\(what) expected, found the end of the JSON") }
    let byte = bytes[position]
    let found = (0x21...0x7E).contains(byte) ? "'\(Unicode.Scalar(byte))'" : "byte \(hexadecimalText([byte]))"
    return .malformed("\(what) expected at byte \(position) of the JSON, found \(found)")
  }
}

/// Bytes as messages show them: `47 49 46`.
package func hexadecimalText(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }.joined(separator: " ")
}
