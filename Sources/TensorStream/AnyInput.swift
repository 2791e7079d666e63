/// An input of which nobody knows yet what it is: a stream of any kind, or a plain safetensors file.
public enum AnyInput {
  /// A stream, its first record read.
  case stream(StreamReader)
  /// A plain safetensors file, all read.
  case safetensors(Record)

  /// Opens a file, or standard input for "-", and tells which it is by its first bytes.
  /// - Throws: `Failure(.noInput)` where it cannot be opened; `.data` where it is neither, or damaged.
  public init(path: String) throws {
    let source = try ByteSource(Descriptor.reading(path: path), name: inputName(path))
    let start = try source.peek(9)
    let isStream = ZstdFrameHeader.startsLike(start)
    if start.count == 9, start[8] == UInt8(ascii: "{"), !isStream {
      self = .safetensors(try readSafetensors(source, kinds: nil))
    } else {
      self = .stream(try StreamReader(source: source, kinds: nil))
    }
  }
}
