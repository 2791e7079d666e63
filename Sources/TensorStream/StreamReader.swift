/// Reads a stream from beginning to end, from a pipe or a file. Not for use by several threads at once.
///
/// A stream that is damaged, cut short or of another kind gives `Failure(.data)`, with the name of the input and the record:
/// record 0 is the first, data records count from 1. After a failure every call fails in the same way.
///
///     let reader = try StreamReader(path: "features.stz", kinds: ["features"])
///     while let record = try reader.next() {
///       if let features = record["features"] { print(try features.values(of: Float.self), features.shape) }
///     }
///     // The end record was there: nothing is missing.
///     print(reader.rowsRead, reader.header.metadata)
public final class StreamReader {
  /// The path, or "standard input".
  public let name: String
  /// The first record: metadata, and in a one-record file the tensors. Once `next()` has returned nil, its metadata have what the
  /// end record adds.
  public private(set) var header: Record
  /// `images`, `views`, `weights`, `checkpoint`, `features` or `predictions`.
  public let kind: String
  /// Rows of the data records that `next()` returned.
  public private(set) var rowsRead = 0
  /// How many rows there are in all, by what was read of a file so far; nil where nothing was, and of a pipe. It is for taking
  /// memory once: nothing else may depend on it.
  public var rowsEstimate: Int? {
    guard let size = source.size, rowsRead > 0 else { return nil }
    return Int(min((Double(rowsRead) / Double(source.consumed) * Double(size)).rounded(), 0x1p48))
  }
  /// Where in the input the record, or the seek table, starts that was read last or could not be read.
  package private(set) var offset = 0
  /// Whether a seek table followed the end record. It was right, or reading failed.
  package private(set) var hasSeekTable = false

  private let source: ByteSource
  private let decoder: ZstdDecoder
  private var rows: [Int] = []
  private var frames: [SeekTable.Frame]
  private var state = State.reading
  private var streamDigest: StreamDigest

  private enum State {
    case reading
    case ended
    case failed(any Error)
  }

  /// Opens a stream and reads its first record.
  /// - Parameters:
  ///   - path: a file, a named pipe, or "-" for standard input.
  ///   - kinds: what the stream may hold; nil for anything.
  /// - Throws: `Failure(.noInput)` where it cannot be opened, `.data` where it is not such a stream.
  public convenience init(path: String, kinds: [String]? = nil) throws {
    let source = try ByteSource(Descriptor.reading(path: path), name: inputName(path))
    try self.init(source: source, kinds: kinds)
  }

  /// Reads a stream from a descriptor that stays the caller's, to close when the reader is done.
  public convenience init(fileDescriptor: Int32, name: String, kinds: [String]? = nil) throws {
    let source = try ByteSource(Descriptor(fileDescriptor, closes: false), name: name)
    try self.init(source: source, kinds: kinds)
  }

  init(source: ByteSource, kinds: [String]?) throws {
    self.source = source
    name = source.name
    let decoder = try ZstdDecoder()
    self.decoder = decoder
    let problem = StreamProblem(name: source.name)
    let (document, record) = try problem.explaining(record: 0) {
      try expectStream(source)
      let document = try decoder.frame(source)
      return (document, try Record(document: document))
    }
    frames = [SeekTable.Frame(compressed: source.consumed, content: document.capacity)]
    streamDigest = StreamDigest(first: document)
    header = record
    kind = try problem.explaining(record: 0) { try StreamMetadata(record.metadata, kinds: kinds).kind }
    if EndRecord.isEnd(record) {
      try problem.explaining(record: 0) { _ = try EndRecord(record, single: true) }
      try finish()
    } else if let first = record.tensors.first {
      throw problem.failure(
        record: 0, "holds the tensor \(quoted(first.name)); the first of several records has none")
    }
  }

  /// The next data record; nil once the end record was read and found right, and nothing but a seek table follows it.
  public func next() throws -> Record? {
    switch state {
    case .ended: return nil
    case .failed(let error): throw error
    case .reading: break
    }
    do {
      return try read()
    } catch {
      state = .failed(error)
      throw error
    }
  }

  /// Sixteen hexadecimal digits that tell this stream from others. They are a hash of its first record, which says what
  /// it was made from, and, once `next()` has returned nil, of its last.
  public var digest: String { streamDigest.text }

  private func read() throws -> Record? {
    let index = rows.count + 1
    return try StreamProblem(name: name).explaining(record: index, rows: rowsRead) {
      let document = try frame()
      let record = try Record(document: document)
      if EndRecord.isEnd(record) {
        try EndRecord(record, single: false).check(rows: rows)
        streamDigest.add(last: document)
        header = EndRecord.header(header, completedBy: record)
        try finish()
        return nil
      }
      let count = try record.checkedRows()
      let (sum, overflow) = rowsRead.addingReportingOverflow(count)
      guard !overflow else { throw Damage.malformed("more rows than can be counted") }
      rows.append(count)
      rowsRead = sum
      return record
    }
  }

  /// The next frame, which is noted for the seek table.
  private func frame() throws -> DocumentBytes {
    offset = source.consumed
    let document = try decoder.frame(source)
    frames.append(SeekTable.Frame(compressed: source.consumed - offset, content: document.capacity))
    return document
  }

  /// Nothing but a seek table may follow the end record, and it must be right.
  private func finish() throws {
    offset = source.consumed
    let table = SeekTable(frames: frames)
    let following = try DocumentBytes(capacity: (table.encoded()?.count ?? 0) + 1)
    let count = try source.take(into: UnsafeMutableRawBufferPointer(start: following.start, count: following.capacity))
    do {
      try table.check(following: UnsafeRawBufferPointer(rebasing: following.bytes.prefix(count)))
    } catch Damage.malformed(let what) {
      throw Failure(.data, "\(name): \(what)")
    }
    hasSeekTable = count > 0
    state = .ended
  }
}

/// Throws unless the input starts like a stream, with words for what it may be instead.
func expectStream(_ source: ByteSource) throws {
  let start = try source.peek(16)
  if start.isEmpty { throw Failure(.data, "\(source.name): empty; expected a tensor stream") }
  if ZstdFrameHeader.startsLike(start) { return }
  let hint = start.count > 8 && start[8] == UInt8(ascii: "{") ? " (a plain safetensors file?)" : ""
  throw Failure(
    .data, "\(source.name): not a tensor stream: starts with \(hexadecimalText(start.prefix(4)))\(hint)")
}

/// Adds the name of the input and the number of the record to what is wrong.
struct StreamProblem {
  let name: String

  /// - Parameter rows: how many rows came before.
  func explaining<R>(record: Int, rows: Int = 0, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch Damage.malformed(let what) {
      throw failure(record: record, what)
    } catch Damage.inputEnds {
      throw Failure(
        .data,
        "\(name): input ends without an end record after \(counted(rows, "row")): "
          + "the writer upstream failed or was killed")
    } catch let failure as Failure {
      guard failure.message.hasPrefix(name) else {
        throw Failure(failure.kind, "\(name): record \(record): \(failure.message)")
      }
      throw failure
    }
  }

  func failure(record: Int, _ what: String) -> Failure {
    Failure(.data, "\(name): record \(record): \(what)")
  }
}
