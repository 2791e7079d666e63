public typealias NamedTensor = (name: String, tensor: StoredTensor)

/// One record of a stream: one safetensors document. Tensors are in the order of their bytes.
public struct Record: Sendable {
  public var metadata: [String: String]
  public var tensors: [NamedTensor]

  public init(metadata: [String: String] = [:], tensors: [NamedTensor] = []) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The tensor of that name, nil where there is none.
  public subscript(name: String) -> StoredTensor? {
    tensors.first { $0.name == name }?.tensor
  }

  /// The rows of a data record: the dimension that its tensors lead with; with byte strings, what `image.offsets`, `mask.offsets` or
  /// `name.offsets` [rows + 1] says.
  /// 0 where there are no tensors. Only a data record has rows: for weights this number means nothing.
  public var rows: Int {
    for name in Self.byteStrings {
      if let offsets = self[name + ".offsets"] { return max((offsets.shape.first ?? 0) - 1, 0) }
    }
    return tensors.first?.tensor.shape.first ?? 0
  }

  /// Checks what a data record promises, and returns its rows: there is a tensor, all share their leading dimension, and
  /// byte strings (`image.bytes` U8 [total] with `image.offsets` I64 [rows + 1], which rise from 0 to total; `name.…`) are all there.
  package func checkedRows() throws -> Int {
    if metadata["stream"] != nil {
      throw Damage.malformed("the first record of another stream, without an end record before it")
    }
    guard !tensors.isEmpty else { throw Damage.malformed("a data record without tensors") }
    var rows: Int?
    var leader = ""
    func agree(_ name: String, _ shape: [Int], _ count: Int) throws {
      if let rows, count != rows {
        throw Damage.malformed(
          "tensor \(quoted(name)) has shape \(shape), but \(quoted(leader)) is of \(counted(rows, "row"))")
      }
      if rows == nil { (rows, leader) = (count, name) }
    }
    for name in Self.byteStrings {
      if let count = try checkedByteStrings(name) { try agree("\(name).offsets", [count + 1], count) }
    }
    for (name, tensor) in tensors where !Self.isPartOfByteStrings(name) {
      guard let dimension = tensor.shape.first else {
        throw Damage.malformed("tensor \(quoted(name)) is a scalar; in a data record tensors lead with the rows")
      }
      try agree(name, tensor.shape, dimension)
    }
    return rows ?? 0
  }

  /// What has a byte string for each row: encoded images, masks, and names. `X.bytes` U8 [total], and `X.offsets` I64 [rows + 1].
  private static let byteStrings = ["image", "mask", "name"]

  private static func isPartOfByteStrings(_ name: String) -> Bool {
    byteStrings.contains { name == $0 + ".bytes" || name == $0 + ".offsets" }
  }

  /// The rows of byte strings, which are all there; nil where there are none of that name.
  private func checkedByteStrings(_ name: String) throws -> Int? {
    let (found, places) = (self[name + ".bytes"], self[name + ".offsets"])
    if found == nil && places == nil { return nil }
    guard let bytes = found else { throw Damage.malformed("\(name).offsets without \(name).bytes") }
    guard let offsets = places else { throw Damage.malformed("\(name).bytes without \(name).offsets") }
    guard bytes.type == .u8, bytes.shape.count == 1 else {
      throw Damage.malformed("\(name).bytes is \(bytes.type.rawValue) \(bytes.shape), expected U8 [total]")
    }
    guard offsets.type == .i64, offsets.shape.count == 1, offsets.count >= 1 else {
      throw Damage.malformed("\(name).offsets is \(offsets.type.rawValue) \(offsets.shape), expected I64 [rows + 1]")
    }
    try offsets.withValues(of: Int64.self) { values in
      var last: Int64 = 0
      for (i, value) in values.enumerated() {
        guard i == 0 ? value == 0 : value >= last else {
          throw Damage.malformed("\(name).offsets[\(i)] is \(value), expected \(i == 0 ? "0" : "at least \(last)")")
        }
        last = value
      }
      guard last == bytes.count else {
        throw Damage.malformed("\(name).offsets end at \(last), but \(name).bytes has \(bytes.count) bytes")
      }
    }
    return offsets.count - 1
  }
}

/// A name from an input as a message shows it: in quotes, control characters escaped, no longer than a line.
package func quoted(_ text: String) -> String {
  var result = "\""
  var shown = 0
  for scalar in text.unicodeScalars {
    if shown == 80 { return result + "…\"" }
    let isControl = scalar.properties.generalCategory == .control
    result += isControl || scalar == "\"" || scalar == "\\" ? scalar.escaped(asASCII: true) : String(scalar)
    shown += 1
  }
  return result + "\""
}
