/// An input of which nobody knows yet what it is: a stream of any kind, or a plain safetensors file.
public enum AnyInput {
  /// A stream, its first record read.
  case stream(StreamReader)
  /// A plain safetensors file, all read.
  case safetensors(Record)

  /// Opens a file, or standard input for "-", and tells which it is by its first bytes.
  /// - Parameter kinds: what a stream may hold; nil for anything. A plain safetensors file need not say what it is.
  /// - Throws: `Failure(.noInput)` where it cannot be opened; `.data` where it is neither, or damaged.
  public init(path: String, kinds: [String]? = nil) throws {
    let source = try ByteSource(Descriptor.reading(path: path), name: inputName(path))
    let start = try source.peek(9)
    if ZstdFrameHeader.startsLike(start) {
      self = .stream(try StreamReader(source: source, kinds: kinds))
    } else if start.count == 9, start[8] == UInt8(ascii: "{") {
      self = .safetensors(try readSafetensors(source, kinds: kinds))
    } else if Self.isPickle(start) {
      throw Failure(
        .data,
        "\(source.name): a file of PyTorch's, which holds a program for pickle and is not read: pmae-finetune(1) says how PyTorch makes a .safetensors file of it"
      )
    } else {
      throw Failure(
        .data,
        "\(source.name): neither a tensor stream nor a safetensors file: starts with \(hexadecimalText(start))")
    }
  }

  /// Whether a file begins as PyTorch's do: a zip archive, or before version 1.6 a pickle.
  private static func isPickle(_ start: UnsafeRawBufferPointer) -> Bool {
    start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x80, 2, 0x8A, 0x0A])
  }
}
