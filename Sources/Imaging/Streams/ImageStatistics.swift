// What a set of pictures is like, in one pass: sizes, classes, colour, and what may be left out: duplicates, black
// pictures, damaged files.

import Foundation
import Parallel
import Schemas
import TensorStream

/// Figures of an images stream. Memory grows only by a table of the pictures' digests, 24 bytes each in a table that
/// is up to two and a half times as large, and by the pictures' names: an equal picture may come at any time.
public struct ImageStatistics: Sendable {
  /// Pictures, broken ones included.
  public private(set) var count = 0
  /// How many pictures have each height, width, shorter side, and width over height in thousandths.
  public private(set) var heights = Tally()
  public private(set) var widths = Tally()
  public private(set) var shorterSides = Tally()
  public private(set) var aspects = Tally()
  /// How many pictures have each label; empty where the stream has none.
  public private(set) var labels: [Int32: Int] = [:]
  /// Pictures whose every pixel has equal channels.
  public private(set) var greyCount = 0
  /// The mean over all channels and pixels is below `nearBlackBelow`.
  public private(set) var nearBlack = Findings<Int>()
  /// The deviation over all channels and pixels is below `plainBelow`.
  public private(set) var plain = Findings<Int>()
  /// What does not decode, and why.
  public private(set) var broken = Findings<(row: Int, reason: String)>()
  /// Groups of equal pictures, by the row of the first.
  public private(set) var duplicates: [(first: Int, others: Findings<Int>)] = []
  /// Pictures that are equal to an earlier one, and how many different ones are there more than once.
  public private(set) var duplicateCount = 0
  public private(set) var duplicateGroups = 0
  /// What each picture is called; nil where none has a name.
  public private(set) var names: RowNames?
  private var colour = PixelStatistics(channels: 3)
  private var seen: [Digest: Int] = [:]
  private let limit: Int

  /// In levels of 0 to 255.
  public static let nearBlackBelow = 8.0
  public static let plainBelow = 2.0

  /// Rows of what was found: all are counted, the first are kept.
  public struct Findings<Item: Sendable>: Sendable {
    public fileprivate(set) var count = 0
    public fileprivate(set) var first: [Item] = []

    fileprivate mutating func add(_ item: Item, limit: Int) {
      count += 1
      if first.count < limit { first.append(item) }
    }
  }

  /// How often each of some numbers occurs.
  public struct Tally: Sendable {
    public fileprivate(set) var counts: [Int: Int] = [:]

    public var minimum: Int? { counts.keys.min() }
    public var maximum: Int? { counts.keys.max() }
    /// The lower of the two in the middle where the count is even.
    public var median: Int? {
      let middle = (counts.values.reduce(0, +) - 1) / 2
      var before = 0
      for (value, count) in counts.sorted(by: { $0.key < $1.key }) {
        before += count
        if before > middle { return value }
      }
      return nil
    }
  }

  /// Of masks: pixels of each id [256], and pictures that have some of it; empty for pictures without masks.
  public private(set) var maskPixels: [Int] = []
  public private(set) var maskPictures: [Int] = []

  /// A mean and deviation of each of red, green and blue, of values in 0...1 and over all pixels; nil where nothing decodes.
  public var mean: [Double]? { colour.pixels > 0 ? colour.mean : nil }
  public var deviation: [Double]? { colour.pixels > 0 ? colour.deviation : nil }
  public var pixels: Int { colour.pixels }

  /// - Parameter limit: how many of each finding are kept by their rows.
  public init(limit: Int) { self.limit = limit }

  /// Reads a stream to its end.
  /// - Parameter progress: is told how many pictures are done.
  /// - Throws: `Failure(.data)` where the stream is damaged, cut short or of another kind.
  public mutating func read(_ stream: ImageRecords, pool: ThreadPool, progress: (Int) -> Void = { _ in }) throws {
    let decoders = (0..<pool.threads).map { _ in (PictureDecoder(), MaskDecoder()) }
    let classes = try MaskClasses.of(stream.header, source: stream.name)
    if classes != nil {
      (maskPixels, maskPictures) = (Array(repeating: 0, count: 256), Array(repeating: 0, count: 256))
    }
    while true {
      let records = try stream.next(atMost: pool.threads, pool: pool)
      if records.isEmpty { return }
      // Few pictures a task, for they may be large; many tasks, so that they share out evenly.
      let tasks = records.flatMap { record in
        stride(from: 0, to: record.rows, by: 16).map { (record, $0..<min($0 + 16, record.rows)) }
      }
      var found = [[Look]](repeating: [], count: tasks.count)
      found.withUnsafeMutableBufferPointer { found in
        let found = found
        pool.run(tasks.count) { task, worker in
          let (record, rows) = tasks[task]
          found[task] = rows.map { Look(record, $0, decoder: decoders[worker].0, masks: decoders[worker].1, classes) }
        }
      }
      var rowsBefore = count
      for record in records {
        names.append(0..<record.rows, of: record.names, after: rowsBefore)
        rowsBefore += record.rows
      }
      for ((record, rows), looks) in zip(tasks, found) {
        for (row, look) in zip(rows, looks) { add(look, label: record.labels?[row]) }
      }
      progress(count)
    }
  }

  private mutating func add(_ look: Look, label: Int32?) {
    let row = count
    count += 1
    if let label { labels[label, default: 0] += 1 }
    switch look {
    case .broken(let reason): broken.add((row, reason), limit: limit)
    case .picture(let height, let width, let statistics, let isGrey, let digest, let mask):
      for (id, pixels) in mask.enumerated() where pixels > 0 {
        maskPixels[id] += pixels
        maskPictures[id] += 1
      }
      heights.counts[height, default: 0] += 1
      widths.counts[width, default: 0] += 1
      shorterSides.counts[min(height, width), default: 0] += 1
      aspects.counts[(1000 * width + height / 2) / height, default: 0] += 1
      colour.add(statistics)
      if isGrey { greyCount += 1 }
      let mean = statistics.mean.reduce(0, +) / 3
      // Over the channels together: the mean of squares less the square of the mean.
      let square = zip(statistics.mean, statistics.deviation).reduce(0) { $0 + $1.0 * $1.0 + $1.1 * $1.1 } / 3
      if 255 * mean < Self.nearBlackBelow { nearBlack.add(row, limit: limit) }
      if 255 * max(0, square - mean * mean).squareRoot() < Self.plainBelow { plain.add(row, limit: limit) }
      addDigest(digest, row)
    }
  }

  private mutating func addDigest(_ digest: Digest, _ row: Int) {
    guard let first = seen[digest] else {
      seen[digest] = row
      return
    }
    duplicateCount += 1
    // A first row that has been met again is kept as its complement.
    if first >= 0 {
      seen[digest] = ~first
      duplicateGroups += 1
      if duplicates.count < limit { duplicates.append((first, Findings())) }
    }
    let start = first >= 0 ? first : ~first
    if let place = duplicates.lastIndex(where: { $0.first == start }) {
      duplicates[place].others.add(row, limit: limit)
    }
  }

  /// 128 bits that tell a picture's size and pixels from another's.
  private struct Digest: Hashable, Sendable {
    let a, b: UInt64
  }

  /// What there is to know of one picture.
  private enum Look: Sendable {
    case picture(height: Int, width: Int, PixelStatistics, isGrey: Bool, Digest, mask: [Int])
    case broken(String)

    init(
      _ record: ImageRecord, _ row: Int, decoder: PictureDecoder, masks: MaskDecoder, _ classes: MaskClasses?
    ) {
      do {
        var counts = [Int](repeating: 0, count: classes == nil || record.masks == nil ? 0 : 256)
        if let classes, !counts.isEmpty {
          let ids = try record.mask(row, classes: classes, decoder: masks)
          for i in 0..<ids.count { counts[Int(ids.base[i])] += 1 }
        }
        let mask = counts
        self = try record.withPicture(row, decoder: decoder) { pixels in
          var statistics = PixelStatistics(channels: pixels.channels)
          statistics.add(pixels.base, pixels: pixels.height * pixels.width)
          let bytes = UnsafeRawBufferPointer(start: pixels.base, count: pixels.count)
          let seed = UInt64(pixels.height) << 32 | UInt64(pixels.width) << 2 | UInt64(pixels.channels)
          let digest = Digest(a: xxh64(bytes, seed: seed), b: xxh64(bytes, seed: ~seed))
          return .picture(
            height: pixels.height, width: pixels.width, pixels.channels == 3 ? statistics : statistics.asColour,
            isGrey: Self.isGrey(pixels), digest, mask: mask)
        }
      } catch {
        self = .broken((error as? Failure)?.message ?? "\(error)")
      }
    }

    private static func isGrey(_ pixels: Pixels) -> Bool {
      if pixels.channels == 1 { return true }
      let base = pixels.base
      for i in 0..<pixels.height * pixels.width
      where base[3 &* i] != base[3 &* i &+ 1] || base[3 &* i] != base[3 &* i &+ 2] { return false }
      return true
    }
  }
}

/// The records of an images stream in their order: of a file several at once, of a pipe one after the other.
public final class ImageRecords {
  public let name: String
  public let header: Record
  /// nil for a pipe, which does not say before its end.
  public let rows: Int?
  private let stream: IndexedStream?
  private let reader: StreamReader?
  private var record = 0
  private var row = 0

  /// - Throws: `Failure(.data)` for a stream of another kind or one that is damaged.
  public init(path: String, isFile: Bool) throws {
    if isFile {
      let stream = try IndexedStream(path: path, kinds: [StreamKind.images.rawValue])
      (self.stream, reader) = (stream, nil)
      (name, header, rows) = (stream.name, stream.header, stream.rows)
    } else {
      let reader = try StreamReader(path: path, kinds: [StreamKind.images.rawValue])
      (stream, self.reader) = (nil, reader)
      (name, header, rows) = (reader.name, reader.header, nil)
    }
  }

  /// The next records, none at the end of a stream that is whole.
  func next(atMost count: Int, pool: ThreadPool) throws -> [ImageRecord] {
    guard let stream else {
      guard let next = try reader?.next() else { return [] }
      record += 1
      defer { row += next.rows }
      return [try ImageRecord(next, name: name, number: record, firstRow: row)]
    }
    let numbers = record..<min(record + count, stream.recordCount)
    var results = [Result<ImageRecord, any Error>?](repeating: nil, count: numbers.count)
    results.withUnsafeMutableBufferPointer { results in
      let (results, name) = (results, name)
      pool.run(numbers.count) { task in
        let number = numbers.lowerBound + task
        results[task] = Result {
          try ImageRecord(
            stream.record(number), name: name, number: number + 1, firstRow: stream.firstRow(ofRecord: number))
        }
      }
    }
    record = numbers.upperBound
    return try results.map { try $0!.get() }
  }
}
