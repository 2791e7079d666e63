/// Reads weights or a checkpoint: a one-record stream (.stz), or a plain safetensors file, told apart by their first bytes.
/// - Parameters:
///   - path: a file, or "-" for standard input.
///   - kinds: what a stream may hold; nil for anything. A plain safetensors file need not say what it is.
/// - Throws: `Failure(.noInput)` where it cannot be opened; `.data` where it is neither, damaged, or has several records.
public func readTensors(path: String, kinds: [String]? = nil) throws -> Record {
  switch try AnyInput(path: path, kinds: kinds) {
  case .safetensors(let record): return record
  case .stream(let reader):
    guard EndRecord.isEnd(reader.header) else {
      throw Failure(
        .data, "\(reader.name): a stream of \(reader.kind) in several records, expected a file of one record")
    }
    return reader.header
  }
}

/// Writes a plain safetensors file, which is no stream: for other programs.
/// - Throws: as `StreamWriter` does.
public func writeSafetensors(
  path: String, metadata: [String: String], tensors: [NamedTensor], overwrite: Bool = false
) throws {
  let (header, order) = try SafetensorsHeader.layout(metadata: metadata, tensors: tensors)
  let start = try header.encoded()
  let output = try OutputFile(path: path, overwrite: overwrite)
  do {
    try start.withUnsafeBytes(output.write)
    for i in order { try tensors[i].tensor.withUnsafeBytes(output.write) }
    try output.finish()
  } catch {
    output.cancel()
    throw error
  }
}

func readSafetensors(_ source: ByteSource, kinds: [String]?) throws -> Record {
  do {
    let length = try Record.headerLength(try source.peek(8))
    source.consume(8)
    let text = try bytes(length, of: source)
    let header = try SafetensorsHeader(json: text.bytes, dataCount: nil)
    if let kind = header.metadata["kind"], header.metadata["stream"] != nil {
      try StreamMetadata.check(kind: kind, kinds: kinds)
    }
    let data = try bytes(header.dataCount, of: source)
    guard try source.peek(1).isEmpty else {
      throw Damage.malformed(
        "more input after the \(grouped(header.dataCount)) bytes of data that its header describes")
    }
    return Record(header: header, data: data.bytes, owner: data)
  } catch Damage.malformed(let what) {
    throw Failure(.data, "\(source.name): \(what)")
  } catch Damage.inputEnds {
    throw Failure(
      .data, "\(source.name): a safetensors file that is cut short, after \(grouped(source.consumed)) bytes")
  }
}

/// The next `count` bytes of a source, in memory that grows as they arrive.
private func bytes(_ count: Int, of source: ByteSource) throws -> DocumentBytes {
  let result = try DocumentBytes(capacity: min(count, 1 << 20))
  var done = 0
  while true {
    let room = UnsafeMutableRawBufferPointer(start: result.start + done, count: result.capacity - done)
    done += try source.take(into: room)
    if done == count { return result }
    guard done == result.capacity else { throw Damage.inputEnds }
    try result.grow(to: min(count, done > count / 2 ? count : done * 2))
  }
}
