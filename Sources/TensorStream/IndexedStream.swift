import Glibc

/// A stream in a file, whose records are read in any order. `record(_:)` may be called by several threads at once.
///
/// Opening it reads the seek table, the first record and the last. Where there is no seek table, it walks through the
/// frames. A data record is read and checked when a caller asks for it.
///
///     let stream = try IndexedStream(path: "images.stz")
///     print(stream.rows, try stream.record(stream.recordCount - 1).rows)
public final class IndexedStream: Sendable {
  public let name: String
  /// The first record: metadata, with what the end record adds to them, and in a one-record file the tensors.
  public let header: Record
  /// The end record; of a one-record file, the header once more.
  public let end: Record
  /// Rows of each data record.
  public let rowsPerRecord: [Int]
  /// Rows of all data records.
  public let rows: Int
  /// Sixteen hexadecimal digits that tell this stream from others: a hash of its first record and of its last.
  public let digest: String

  private let descriptor: Descriptor
  private let frames: [SeekTable.Frame]
  private let offsets: [Int]
  private let firstRows: [Int]

  /// - Parameters:
  ///   - path: a regular file.
  ///   - kinds: what the stream may hold; nil for anything.
  /// - Throws: `Failure(.noInput)` where it cannot be opened, `.usage` where it is not a file, `.data` where it is not such a
  ///   stream or not whole.
  public init(path: String, kinds: [String]? = nil) throws {
    let name = inputName(path)
    let problem = StreamProblem(name: name)
    let descriptor = try Descriptor.reading(path: path)
    let status = try descriptor.status(name: name)
    if status.isFolder { throw Failure(.noInput, "\(name): \(errorText(EISDIR))") }
    guard status.isRegularFile else {
      throw Failure(.usage, "\(name): is not a file, and a pipe cannot be read in any order; save the stream first")
    }
    let size = Int(status.st_size)
    try expectStream(try ByteSource(descriptor, name: name, region: 0..<size))

    var (frames, offsets): ([SeekTable.Frame], [Int])
    do {
      (frames, offsets) = try frameIndex(descriptor, name: name, fileSize: size)
      if frames.isEmpty { throw Damage.inputEnds }
    } catch Damage.malformed(let what) {
      throw Failure(.data, "\(name): \(what)")
    } catch Damage.inputEnds {
      throw try Self.failure(readingAll: path, kinds: kinds)
    }
    self.name = name
    self.descriptor = descriptor
    self.frames = frames
    self.offsets = offsets

    let last = frames.count - 1
    let read = { (i: Int) in
      try problem.explaining(record: i) {
        try document(descriptor, name: name, frame: frames[i], offset: offsets[i])
      }
    }
    let first = try read(0)
    let header = try problem.explaining(record: 0) {
      let record = try Record(document: first)
      _ = try StreamMetadata(record.metadata, kinds: kinds)
      return record
    }
    var digest = StreamDigest(first: first)
    if EndRecord.isEnd(header) {
      try problem.explaining(record: 0) { _ = try EndRecord(header, single: true) }
      guard last == 0 else {
        throw Failure(.data, "\(name): more records after the end record: expected 1 record, found \(last + 1)")
      }
      self.header = header
      end = header
      rowsPerRecord = []
      rows = 0
    } else {
      if let tensor = header.tensors.first {
        throw problem.failure(
          record: 0, "holds the tensor \(quoted(tensor.name)); the first of several records has none")
      }
      let document = try read(last)
      let end = try problem.explaining(record: last) { try Record(document: document) }
      guard last > 0, EndRecord.isEnd(end) else { throw try Self.failure(readingAll: path, kinds: kinds) }
      let promise = try problem.explaining(record: last) { try EndRecord(end, single: false) }
      let rowsPerRecord = promise.rows ?? []
      guard rowsPerRecord.count == last - 1 else {
        throw problem.failure(
          record: last,
          "end record: promises \(counted(rowsPerRecord.count, "data record")), found \(grouped(last - 1))")
      }
      digest.add(last: document)
      self.end = end
      self.header = EndRecord.header(header, completedBy: end)
      self.rowsPerRecord = rowsPerRecord
      rows = promise.total
    }
    self.digest = digest.text
    var sum = 0
    firstRows = rowsPerRecord.map { count in
      defer { sum += count }
      return sum
    }
  }

  /// The number of data records.
  public var recordCount: Int { rowsPerRecord.count }

  /// Reads data record `i`, which counts from 0 here (and from 1 in messages).
  /// - Throws: `Failure(.data)` where it is damaged or has not the rows that the end record promises.
  public func record(_ i: Int) throws -> Record {
    precondition(rowsPerRecord.indices.contains(i), "there is no record \(i)")
    return try StreamProblem(name: name).explaining(record: i + 1, rows: firstRows[i]) {
      let record = try Record(
        document: document(descriptor, name: name, frame: frames[i + 1], offset: offsets[i + 1]))
      if EndRecord.isEnd(record) { throw Damage.malformed("an end record before the end of the stream") }
      let count = try record.checkedRows()
      guard count == rowsPerRecord[i] else {
        throw Damage.malformed(
          "holds \(counted(count, "row")), but the end record promises \(grouped(rowsPerRecord[i]))")
      }
      return record
    }
  }

  /// The number, within the whole stream, of the first row of data record `i`.
  public func firstRow(ofRecord i: Int) -> Int { firstRows[i] }

  /// What data record `i` takes in memory.
  package func byteCount(ofRecord i: Int) -> Int { frames[i + 1].content }

  /// Asks the system to read data record `i` from disk while other things are done.
  package func willRead(_ i: Int) {
    _ = posix_fadvise(descriptor.number, offsets[i + 1], frames[i + 1].compressed, POSIX_FADV_WILLNEED)
  }

  /// Reads a stream without an end record, to find out how far it goes, and says it in the words of `StreamReader`.
  private static func failure(readingAll path: String, kinds: [String]?) throws -> Failure {
    let reader = try StreamReader(path: path, kinds: kinds)
    while try reader.next() != nil {}
    return Failure(.data, "\(inputName(path)): changed while it was read")
  }
}

/// Reads one frame of a file, which must be as large as the index says.
private func document(
  _ descriptor: Descriptor, name: String, frame: SeekTable.Frame, offset: Int
) throws -> DocumentBytes {
  let source = try ByteSource(descriptor, name: name, region: offset..<offset + frame.compressed)
  let document: DocumentBytes
  do {
    document = try ZstdDecoder().frame(source)
  } catch Damage.inputEnds {
    throw Damage.malformed("does not end within the \(grouped(frame.compressed)) bytes that the seek table gives it")
  }
  guard source.consumed == frame.compressed, document.capacity == frame.content else {
    throw Damage.malformed(
      "takes \(grouped(source.consumed)) bytes and holds \(grouped(document.capacity)), but the seek table says "
        + "\(grouped(frame.compressed)) and \(grouped(frame.content))")
  }
  return document
}
