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

  /// The rows of a data record: the dimension that its tensors lead with; with `image.offsets` [rows + 1], what that says.
  /// 0 where there are no tensors. Only a data record has rows: of weights this is a number without a meaning.
  public var rows: Int {
    if let offsets = self["image.offsets"] { return max((offsets.shape.first ?? 0) - 1, 0) }
    return tensors.first?.tensor.shape.first ?? 0
  }

  /// Checks what a data record promises, and returns its rows: there is a tensor, all share their leading dimension, and
  /// encoded images (`image.bytes` U8 [total] with `image.offsets` I64 [rows + 1], which rise from 0 to total) are all there.
  package func checkedRows() throws -> Int {
    if metadata["stream"] != nil {
      throw Damage.malformed("the first record of another stream, without an end record before it")
    }
    guard let first = tensors.first else { throw Damage.malformed("a data record without tensors") }
    let rows: Int
    let leader: String
    switch (self["image.bytes"], self["image.offsets"]) {
    case (nil, nil):
      guard let dimension = first.tensor.shape.first else {
        throw Damage.malformed("tensor \(quoted(first.name)) is a scalar; in a data record tensors lead with the rows")
      }
      rows = dimension
      leader = first.name
    case (let bytes?, let offsets?):
      rows = try checkedImages(bytes: bytes, offsets: offsets)
      leader = "image.offsets"
    case (nil, _?): throw Damage.malformed("image.offsets without image.bytes")
    case (_?, nil): throw Damage.malformed("image.bytes without image.offsets")
    }
    for (name, tensor) in tensors where name != "image.bytes" && name != "image.offsets" {
      guard tensor.shape.first == rows else {
        throw Damage.malformed(
          "tensor \(quoted(name)) has shape \(tensor.shape), but \(quoted(leader)) is of \(counted(rows, "row"))")
      }
    }
    return rows
  }

  private func checkedImages(bytes: StoredTensor, offsets: StoredTensor) throws -> Int {
    guard bytes.type == .u8, bytes.shape.count == 1 else {
      throw Damage.malformed("image.bytes is \(bytes.type.rawValue) \(bytes.shape), expected U8 [total]")
    }
    guard offsets.type == .i64, offsets.shape.count == 1, offsets.count >= 1 else {
      throw Damage.malformed("image.offsets is \(offsets.type.rawValue) \(offsets.shape), expected I64 [rows + 1]")
    }
    try offsets.withValues(of: Int64.self) { values in
      var last: Int64 = 0
      for (i, value) in values.enumerated() {
        guard i == 0 ? value == 0 : value >= last else {
          throw Damage.malformed("image.offsets[\(i)] is \(value), expected \(i == 0 ? "0" : "at least \(last)")")
        }
        last = value
      }
      guard last == bytes.count else {
        throw Damage.malformed("image.offsets end at \(last), but image.bytes has \(bytes.count) bytes")
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
