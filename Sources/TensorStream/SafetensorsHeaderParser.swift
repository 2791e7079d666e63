extension SafetensorsHeader {
  /// Reads a header's JSON. Strict: everything in it is either understood or an error, and the tensors must cover the data
  /// exactly, aligned to their element size.
  /// - Parameter dataCount: how many bytes of data follow, nil where that is not known yet.
  package init(json: UnsafeRawBufferPointer, dataCount: Int?) throws {
    guard json.first == UInt8(ascii: "{") else {
      throw Damage.malformed("the header must start with '{', found byte \(hexadecimalText(json.prefix(1)))")
    }
    var scanner = JSONScanner(json)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    try scanner.object { scanner, name in
      if name == "__metadata__" {
        try scanner.object { scanner, key in metadata[key] = try scanner.string() }
      } else {
        entries.append(try Self.entry(named: name, from: &scanner))
      }
    }
    guard scanner.peek() == nil else { throw scanner.unexpected("nothing after the header's last '}'") }

    // Empty tensors sort before the one that starts where they lie.
    entries.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    var end = 0
    for entry in entries {
      guard entry.range.lowerBound == end else {
        let what = entry.range.lowerBound < end ? "overlaps the tensor before it" : "leaves a gap before it"
        throw Damage.malformed(
          "tensor \(quoted(entry.name)) \(what): it starts at \(entry.range.lowerBound), expected \(end)")
      }
      end = entry.range.upperBound
    }
    if let dataCount, end != dataCount {
      throw Damage.malformed("the tensors take \(grouped(end)) bytes of data, but there are \(grouped(dataCount))")
    }
    self.init(metadata: metadata, entries: entries)
  }

  private static func entry(named name: String, from scanner: inout JSONScanner) throws -> Entry {
    var type: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.object { scanner, key in
      switch key {
      case "dtype":
        let text = try scanner.string()
        type = ElementType(rawValue: text)
        if type == nil { throw Damage.malformed("tensor \(quoted(name)) has the unknown dtype \(quoted(text))") }
      case "shape": shape = try scanner.integers(limit: maximumRank)
      case "data_offsets": offsets = try scanner.integers(limit: 2)
      default: throw Damage.malformed("tensor \(quoted(name)) has the unknown field \(quoted(key))")
      }
    }
    guard let type else { throw Damage.malformed("tensor \(quoted(name)) has no dtype") }
    guard let shape else { throw Damage.malformed("tensor \(quoted(name)) has no shape") }
    guard let offsets, offsets.count == 2 else {
      throw Damage.malformed("tensor \(quoted(name)) has no data_offsets [begin, end]")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end else {
      throw Damage.malformed(
        "tensor \(quoted(name)) has data_offsets [\(begin), \(end)]: the end is before the beginning")
    }
    guard let count = elementCount(shape: shape, type: type) else {
      throw Damage.malformed("tensor \(quoted(name)) has the shape \(shape), larger than any memory")
    }
    guard count * type.size == end - begin else {
      throw Damage.malformed(
        "tensor \(quoted(name)), \(type.rawValue) of shape \(shape), takes \(grouped(count * type.size)) bytes, "
          + "but its data_offsets [\(begin), \(end)] hold \(grouped(end - begin))")
    }
    guard begin % type.size == 0 else {
      throw Damage.malformed(
        "tensor \(quoted(name)) is misaligned: it starts at \(begin), not a multiple of its element size \(type.size)")
    }
    return Entry(name: name, type: type, shape: shape, range: begin..<end)
  }
}
