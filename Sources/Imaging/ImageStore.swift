// The pictures of an images stream in any order. What was read is kept: of a set that fits, all,
// which is then read once; of a larger one, what the order still needs.

import Compute
import TensorStream

/// An images stream whose pictures can be had in any order. One thread at a time may ask.
public final class ImageStore {
  public let name: String
  public let header: Record
  public let rows: Int
  public let digest: String
  /// Height, width and channels of the first picture where the stream holds pixels; nil where it holds picture files.
  public let pixelShape: (height: Int, width: Int, channels: Int)?
  public let isLabelled: Bool

  private let stream: IndexedStream?
  private var kept: [Int: ImageRecord] = [:]
  private var keptBytes = 0
  private let limit: Int
  private let firstRows: [Int]
  private let recordRows: [Int]
  private let recordBytes: [Int]
  /// Whether all of it may be kept.
  private let fits: Bool

  /// Opens a file, or reads a pipe (`-`) to its end.
  /// - Parameter memory: how many bytes of pictures may be kept at once.
  /// - Throws: `Failure(.data)` for a stream that is damaged, of another kind, or without rows, and for a pipe that brings more
  ///   than `memory`.
  public init(path: String, memory: Int) throws {
    limit = memory
    if path == "-" {
      let reader = try StreamReader(path: path, kinds: ["images"])
      stream = nil
      name = reader.name
      var starts: [Int] = []
      var row = 0
      var sizes: [(rows: Int, bytes: Int)] = []
      while let record = try reader.next() {
        let checked = try ImageRecord(record, name: reader.name, number: starts.count + 1, firstRow: row)
        try checked.expect(labels: kept[0].map { $0.labels != nil })
        keptBytes += checked.byteCount
        guard keptBytes <= memory else {
          throw Failure(
            .data,
            "\(reader.name): more than the \(grouped(memory)) bytes that may be kept: views need pictures in any order; save the "
              + "stream to a file first, or raise --shuffle-memory")
        }
        kept[starts.count] = checked
        starts.append(row)
        row += checked.rows
        sizes.append((checked.rows, checked.byteCount))
      }
      // Complete now that the end record has been read.
      header = reader.header
      digest = reader.digest
      (firstRows, rows) = (starts, row)
      recordRows = sizes.map { $0.rows }
      recordBytes = sizes.map { $0.bytes }
    } else {
      let stream = try IndexedStream(path: path, kinds: ["images"])
      self.stream = stream
      name = stream.name
      header = stream.header
      digest = stream.digest
      rows = stream.rows
      firstRows = (0..<stream.recordCount).map { stream.firstRow(ofRecord: $0) }
      recordRows = stream.rowsPerRecord
      recordBytes = (0..<stream.recordCount).map { stream.byteCount(ofRecord: $0) }
    }
    fits = recordBytes.reduce(0, +) <= memory
    guard rows > 0 else { throw Failure(.data, "\(name): a stream of zero rows: there are no pictures in it") }
    // The first record that has rows.
    let first = firstRows.lastIndex(of: 0)!
    if let stream, kept[first] == nil {
      let record = try ImageRecord(stream.record(first), name: name, number: first + 1, firstRow: 0)
      kept[first] = record
      keptBytes += record.byteCount
    }
    let record = kept[first]!
    isLabelled = record.labels != nil
    if case .pixels(let tensor) = record.content {
      pixelShape = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    } else {
      pixelShape = nil
    }
  }

  /// The rows of an epoch in their order: a permutation of all where they fit into memory.
  func order(seed: UInt64, epoch: Int, shuffles: Bool) -> EpochOrder {
    EpochOrder(
      recordRows: recordRows, recordBytes: recordBytes, memory: limit, seed: seed, epoch: epoch, shuffles: shuffles)
  }

  /// Lets go of what is not among these records, unless there is room for all.
  func forget(except needed: Set<Int>) {
    if fits { return }
    for (number, entry) in kept where !needed.contains(number) {
      kept[number] = nil
      keptBytes -= entry.byteCount
    }
  }

  /// Says that these rows will be asked for next, so that the system reads ahead what is not kept.
  func announce(_ rows: [Int]) {
    guard let stream else { return }
    for number in Set(rows.map { place(of: $0).record }) where !isKept(number) { stream.willRead(number) }
  }

  /// Where a row is: the record, and the row within it.
  func place(of row: Int) -> (record: Int, row: Int) {
    var (low, high) = (0, firstRows.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if firstRows[middle] <= row { low = middle } else { high = middle }
    }
    return (low, row - firstRows[low])
  }

  func isKept(_ record: Int) -> Bool { kept[record] != nil }

  /// The records of these numbers; those that are not kept are read on all threads.
  func records(_ numbers: [Int], pool: ThreadPool) throws -> [Int: ImageRecord] {
    var result: [Int: ImageRecord] = [:]
    var missing: [Int] = []
    for number in numbers {
      if let entry = kept[number] {
        result[number] = entry
      } else {
        missing.append(number)
      }
    }
    guard let stream, !missing.isEmpty else { return result }
    var read = [Result<ImageRecord, any Error>?](repeating: nil, count: missing.count)
    let (name, firstRows, isLabelled) = (name, firstRows, isLabelled)
    read.withUnsafeMutableBufferPointer { read in
      pool.run(missing.count) { (task: Int) in
        let number = missing[task]
        read[task] = Result {
          let record = try ImageRecord(
            stream.record(number), name: name, number: number + 1, firstRow: firstRows[number])
          try record.expect(labels: isLabelled)
          return record
        }
      }
    }
    for (number, outcome) in zip(missing, read) {
      let record = try outcome!.get()
      result[number] = record
      kept[number] = record
      keptBytes += record.byteCount
    }
    return result
  }
}
