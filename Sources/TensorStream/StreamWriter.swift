/// Writes a stream: the first record at once, a data record with each `write(_:)`, the end record with `finish()`.
///
/// A file gets its name in `finish()`, when it is whole and on disk. It ends with a seek table, unless a record has 4
/// GiB or more, for which a seek table has no room. Equal calls give equal bytes (with one version of zstd), in a file
/// or in a pipe. Not for use by several threads at once.
///
///     let writer = try StreamWriter(path: "features.stz", kind: "features", metadata: ["note": "three rows of two"])
///     try writer.write([("features", StoredTensor([Float(1), 2, 3, 4, 5, 6], shape: [3, 2]))])
///     try writer.finish()
public final class StreamWriter {
  private let output: OutputFile
  private let encoder: any FrameEncoder
  private var frames: [SeekTable.Frame] = []
  private var rows: [Int] = []
  private var state = State.writing

  private enum State {
    case writing
    case finished
    case cancelled
  }

  /// Creates the output and writes the first record.
  /// - Parameters:
  ///   - path: a file, or "-" for standard output. A named pipe or a device that is there already is written to as it is.
  ///   - kind: what the stream holds: `images`, `views`, …
  ///   - metadata: the rest of the first record's. `stream`, `kind`, `end` and `rows` are the writer's own: what `metadata`
  ///     has under these keys is not used.
  ///   - overwrite: replace a file of that name, when the new one is whole.
  ///   - level: zstd's compression level. Without one, a file is compressed at level 1, and what goes into a pipe or a device is
  ///     not compressed: its reader would wait for that longer than for the bytes.
  /// - Throws: `Failure(.usage)` for a terminal; `.cannotCreate` where the file exists already or cannot be created; `.io`
  ///   where it cannot be written; `.brokenPipe` where nobody reads it.
  public convenience init(
    path: String, kind: String, metadata: [String: String], overwrite: Bool = false, level: Int? = nil
  ) throws {
    try self.init(path: path, overwrite: overwrite, level: level)
    try guarding { try write(metadata: Self.first(kind, metadata), tensors: []) }
  }

  private init(path: String, overwrite: Bool, level: Int?) throws {
    let output = try OutputFile(path: path, overwrite: overwrite)
    self.output = output
    if level == nil && !output.isFile {
      encoder = StoredFrameEncoder(sink: output.write)
    } else {
      encoder = try ZstdEncoder(level: level ?? 1, sink: output.write)
    }
  }

  deinit { cancel() }

  /// Writes one data record. Its tensors share their leading dimension; `image.offsets` has one more, `image.bytes` is free.
  /// - Throws: `Failure(.io)` or `.brokenPipe`, and the temporary file is gone; `.software` for tensors that do not agree.
  public func write(_ tensors: [NamedTensor]) throws {
    try guarding {
      let record = Record(tensors: tensors)
      let count: Int
      do {
        count = try record.checkedRows()
      } catch Damage.malformed(let what) {
        throw Failure(.software, "\(output.name): record \(rows.count + 1): \(what)")
      }
      try write(metadata: [:], tensors: tensors)
      rows.append(count)
    }
  }

  /// Writes the end record and the seek table, brings the file to disk, and gives it its name.
  /// - Parameter metadata: what is known only now, for the end record. Readers take it for the first record's. The writer's own
  ///   keys are not used, as in `init`.
  public func finish(metadata: [String: String] = [:]) throws {
    try guarding {
      let added = metadata.filter { !StreamMetadata.reserved.contains($0.key) }
      try write(metadata: added.merging(EndRecord.metadata(rows: rows)) { $1 }, tensors: [])
      try writeSeekTable()
      try close()
    }
  }

  /// Gives up. Nothing is left of a file. A pipe ends without an end record, and its reader notices. Does nothing after
  /// `finish()`.
  public func cancel() {
    if case .writing = state {
      state = .cancelled
      output.cancel()
    }
  }

  /// Writes a file of one record, which is first and last at once: weights, a checkpoint.
  public static func writeOneRecord(
    path: String, kind: String, metadata: [String: String], tensors: [NamedTensor], overwrite: Bool = false,
    level: Int? = nil
  ) throws {
    try prepareOneRecord(
      path: path, kind: kind, metadata: metadata, tensors: tensors, overwrite: overwrite, level: level
    ).commit()
  }

  /// The same, except that the file is not yet on disk and has no name yet.
  package static func prepareOneRecord(
    path: String, kind: String, metadata: [String: String], tensors: [NamedTensor], overwrite: Bool, level: Int?
  ) throws -> PreparedFile {
    let writer = try StreamWriter(path: path, overwrite: overwrite, level: level)
    try writer.guarding {
      let ends = EndRecord.metadata(rows: [])
      try writer.write(metadata: first(kind, metadata).merging(ends) { $1 }, tensors: tensors)
      try writer.writeSeekTable()
    }
    return PreparedFile(writer)
  }

  /// A file that is written and still needs its name. It is removed where it never gets that. It may be passed to
  /// another thread.
  package final class PreparedFile: @unchecked Sendable {
    private let writer: StreamWriter

    fileprivate init(_ writer: StreamWriter) { self.writer = writer }

    /// Brings it to disk, calls `beforeNaming`, and gives it its name.
    package func commit(beforeNaming: () throws -> Void = {}) throws {
      try writer.guarding { try writer.close(beforeNaming: beforeNaming) }
    }
  }

  private static func first(_ kind: String, _ metadata: [String: String]) -> [String: String] {
    metadata.filter { !StreamMetadata.reserved.contains($0.key) }
      .merging(["stream": StreamMetadata.version, "kind": kind]) { $1 }
  }

  private func write(metadata: [String: String], tensors: [NamedTensor]) throws {
    let (header, order) = try SafetensorsHeader.layout(metadata: metadata, tensors: tensors)
    let start = try header.encoded()
    let size = start.count + header.dataCount
    try encoder.begin(contentSize: size)
    try start.withUnsafeBytes(encoder.add)
    for i in order { try tensors[i].tensor.withUnsafeBytes(encoder.add) }
    frames.append(SeekTable.Frame(compressed: try encoder.end(), content: size))
  }

  private func writeSeekTable() throws {
    if output.isFile, let table = SeekTable(frames: frames).encoded() { try table.withUnsafeBytes(output.write) }
  }

  private func close(beforeNaming: () throws -> Void = {}) throws {
    try output.finish(beforeNaming: beforeNaming)
    state = .finished
  }

  /// A writer that failed once has no way to go on.
  private func guarding(_ body: () throws -> Void) throws {
    guard case .writing = state else {
      throw Failure(.software, "\(output.name): written to after the writer finished, failed or was cancelled")
    }
    do {
      try body()
    } catch {
      cancel()
      throw error
    }
  }
}
