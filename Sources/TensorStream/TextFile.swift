/// A text file, written line by line with a stream's care: it gets its name only in `finish()`, when it is whole and on disk.
///
/// Standard output is written to as it is (for figures see `StandardOutput`). Not for use by several threads at once.
public final class TextFile {
  private let output: OutputFile
  private var pending: [UInt8] = []
  private static let capacity = 1 << 16

  /// - Throws: `Failure(.cannotCreate)` where the file exists and may not be replaced, or cannot be made.
  public init(path: String, overwrite: Bool) throws { output = try OutputFile(path: path, overwrite: overwrite) }

  /// Adds text as it is.
  /// - Throws: `Failure(.io)` or `.brokenPipe`, and the temporary file is gone.
  public func write(_ text: String) throws {
    pending.append(contentsOf: text.utf8)
    if pending.count >= Self.capacity { try drain() }
  }

  /// Adds bytes as they are.
  /// - Throws: as `write` of text does.
  public func write(_ bytes: some Sequence<UInt8>) throws {
    pending.append(contentsOf: bytes)
    if pending.count >= Self.capacity { try drain() }
  }

  public func finish() throws {
    try drain()
    try guarding { try output.finish() }
  }

  /// Gives up: nothing is left of the file.
  public func cancel() { output.cancel() }

  private func drain() throws {
    try guarding { try pending.withUnsafeBytes(output.write) }
    pending.removeAll(keepingCapacity: true)
  }

  private func guarding(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      output.cancel()
      throw error
    }
  }
}
