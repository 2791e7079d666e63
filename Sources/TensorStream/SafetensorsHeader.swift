/// The header of a safetensors document: its metadata, and where each tensor lies in the data that follows.
package struct SafetensorsHeader {
  package struct Entry {
    package var name: String
    package var type: ElementType
    package var shape: [Int]
    /// Byte offsets into the data.
    package var range: Range<Int>
  }

  /// The most bytes of a header (safetensors' own limit).
  package static let maximumLength = 100_000_000
  /// The most dimensions of a tensor (NumPy's own limit).
  package static let maximumRank = 64
  /// Data start at a multiple of this in what we write.
  package static let alignment = 64

  package var metadata: [String: String]
  /// In the order of the data, which they cover without gap or overlap.
  package var entries: [Entry]
  package var dataCount: Int { entries.last?.range.upperBound ?? 0 }

  /// Lays tensors out one after another: the largest element type first, then by the names' bytes, so that each is aligned
  /// to its element size. `order` says which tensor comes when.
  package static func layout(metadata: [String: String], tensors: [NamedTensor]) throws
    -> (header: SafetensorsHeader, order: [Int])
  {
    let order = tensors.indices.sorted { a, b in
      let (x, y) = (tensors[a], tensors[b])
      if x.tensor.type.size != y.tensor.type.size { return x.tensor.type.size > y.tensor.type.size }
      return x.name.utf8.lexicographicallyPrecedes(y.name.utf8)
    }
    var header = SafetensorsHeader(metadata: metadata, entries: [])
    var names: Set<String> = ["__metadata__"]
    var offset = 0
    for i in order {
      let (name, tensor) = tensors[i]
      guard names.insert(name).inserted else {
        throw Failure(.software, "two tensors of one record are called \(quoted(name))")
      }
      guard tensor.shape.count <= maximumRank else {
        throw Failure(
          .software, "tensor \(quoted(name)) has \(tensor.shape.count) dimensions; \(maximumRank) are the most")
      }
      header.entries.append(
        Entry(name: name, type: tensor.type, shape: tensor.shape, range: offset..<offset + tensor.byteCount))
      offset += tensor.byteCount
    }
    return (header, order)
  }

  /// What a document starts with: the header's length in eight bytes, the header, and spaces up to a multiple of 64.
  /// Equal headers give equal bytes.
  package func encoded() throws -> [UInt8] {
    var text: [UInt8] = Array("{\"__metadata__\":{".utf8)
    let keys = metadata.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    for (i, key) in keys.enumerated() {
      if i > 0 { text.append(UInt8(ascii: ",")) }
      appendJSON(key, to: &text)
      text.append(UInt8(ascii: ":"))
      appendJSON(metadata[key] ?? "", to: &text)
    }
    text.append(UInt8(ascii: "}"))
    for entry in entries {
      text.append(UInt8(ascii: ","))
      appendJSON(entry.name, to: &text)
      let shape = entry.shape.map(String.init).joined(separator: ",")
      let offsets = "\(entry.range.lowerBound),\(entry.range.upperBound)"
      text += ":{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offsets)]}".utf8
    }
    text.append(UInt8(ascii: "}"))
    let padding = -(8 + text.count) & (Self.alignment - 1)
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
    guard text.count <= Self.maximumLength else {
      throw Failure(.software, "a header of \(grouped(text.count)) bytes; \(grouped(Self.maximumLength)) are the most")
    }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init) + text
  }
}

/// Appends `text` as a JSON string.
private func appendJSON(_ text: String, to bytes: inout [UInt8]) {
  bytes.append(UInt8(ascii: "\""))
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
    case 0..<0x10: bytes += Array("\\u000\(String(byte, radix: 16))".utf8)
    case 0x10..<0x20: bytes += Array("\\u00\(String(byte, radix: 16))".utf8)
    default: bytes.append(byte)
    }
  }
  bytes.append(UInt8(ascii: "\""))
}
