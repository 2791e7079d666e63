// From a set of pictures to images streams: one, or shards of a size.

import Parallel
import Schemas
import TensorStream

/// Writes the chosen pictures of a set, in their order, each read once. The bytes do not depend on the number of threads.
///
///     let pool = ThreadPool(threads: 2)
///     let pictures = try PictureSet(["photos"], options: SourceOptions(), pool: pool)
///     let summary = try PicturePacking().write(
///       pictures, try PictureSelection().choose(from: pictures), metadata: [:],
///       to: try PackedOutput("images.stz", shardSize: nil, overwrite: false, resumes: false), pool: pool,
///       report: { print("left out: \($0.message)") }, progress: { _ in })
///     print(summary.rows, pictures.classes ?? [])
public struct PicturePacking {
  /// nil: about a megabyte of pictures in each record. A reader in random order then reads little for each picture.
  public var rowsPerRecord: Int?
  /// nil: files are stored as they came.
  public var shrinking: Shrinking?
  /// 1: all pictures become grey; nil: they stay as they are.
  public var channels: Int?
  /// What stands between the classes in a label's name; nil where a picture has one class.
  public var labelSeparator: String?
  /// Ends at the first bad picture. Otherwise a bad picture is reported and left out.
  public var isStrict = false

  /// At most so many bad pictures are listed in a stream; all are counted.
  public static let maximumListed = 10_000

  public init() {}

  /// What was packed.
  public struct Summary: Sendable {
    /// Rows and bad pictures of all shards, those that were there already included.
    public internal(set) var rows = 0
    public internal(set) var skipped = 0
    /// Shards that were there already.
    public internal(set) var kept = 0
    /// Pictures of each class, without those of kept shards; empty without labels.
    public internal(set) var perClass: [Int] = []
    /// Pictures in colour that became grey.
    public internal(set) var coloured = 0
    /// Channels in which all values are equal, from 0, and the value of each.
    public internal(set) var flatChannels: [(channel: Int, value: Int)] = []
    /// For people: which files hold several pictures, of which the first was taken, and what to do. nil where none
    /// does.
    public internal(set) var several: String?
  }

  /// - Parameters:
  ///   - metadata: provenance; the rest of the first record's is made here.
  ///   - report: is told of each bad picture.
  ///   - progress: is told how many of the chosen are done.
  /// - Throws: `Failure(.data)` where no picture is good, or for a bad one if strict; what reading and writing throw.
  public func write(
    _ set: PictureSet, _ chosen: [Int], metadata: [String: String], to output: PackedOutput, pool: ThreadPool,
    report: (Failure) -> Void, progress: (Int) -> Void
  ) throws -> Summary {
    var header = ImagesHeader(
      classes: set.classes,
      shape: set.pixelShape.map { ImagesHeader.Shape(height: $0.height, width: $0.width, channels: $0.channels) },
      masks: set.maskClasses, entriesDigest: output.shardSize == nil ? nil : set.digest(of: chosen))
    header.labelSeparator = set.classes == nil ? nil : labelSeparator
    var metadata = metadata.merging(try header.metadata()) { $1 }
    metadata[RowNames.sourcesKey] = try JSONText.encode(set.sourceNames)
    let channels = set.pixelShape?.channels ?? channels ?? 3
    let feed = PictureFeed(
      set, chosen: chosen, shrinking: shrinking, channels: channels, pool: pool)
    var summary = Summary()
    summary.perClass = Array(repeating: 0, count: set.classes?.count ?? 0)
    var statistics = PixelStatistics(channels: channels)
    var shard = 0
    while feed.position < chosen.count {
      if let kept = try output.keptShard(shard, metadata: metadata, from: feed.position) {
        guard kept.end <= chosen.count else {
          throw Failure(.data, "\(output.path(ofShard: shard)): goes on after the last picture of \(set.name)")
        }
        feed.skip(to: kept.end)
        summary.rows += kept.rows
        summary.skipped += kept.skipped
        summary.kept += 1
        progress(feed.position)
      } else {
        var part = Shard(self, set, metadata: metadata, channels: channels)
        try part.write(from: feed, output: output, shard: shard, report: report, progress: progress)
        summary.rows += part.rows
        summary.skipped += part.skippedCount
        summary.coloured += channels == 1 ? part.coloured : 0
        for (label, count) in part.perClass { summary.perClass[Int(label)] += count }
        statistics.add(part.statistics)
      }
      shard += 1
    }
    try output.removeShards(from: shard)
    if statistics.pixels > 0 { summary.flatChannels = statistics.flatChannels }
    summary.several = feed.several.sentence
    return summary
  }
}

/// One stream while it is written.
private struct Shard {
  private let packing: PicturePacking
  private let set: PictureSet
  private let metadata: [String: String]
  private(set) var rows = 0
  private(set) var coloured = 0
  private(set) var perClass: [Int32: Int] = [:]
  private(set) var skippedCount = 0
  private var skipped: [ImagesHeader.Skipped] = []
  private(set) var statistics: PixelStatistics
  private var smallest = [Int.max, Int.max]
  private var largest = [0, 0]
  private var record = RecordMaker()

  init(_ packing: PicturePacking, _ set: PictureSet, metadata: [String: String], channels: Int) {
    self.packing = packing
    self.set = set
    self.metadata = metadata
    statistics = PixelStatistics(channels: channels)
  }

  /// Takes pictures until the next good one would make it larger than a shard may be. The bad ones before that belong to it.
  mutating func write(
    from feed: PictureFeed, output: PackedOutput, shard: Int, report: (Failure) -> Void, progress: (Int) -> Void
  ) throws {
    let start = feed.position
    var size = 0
    var open: (writer: StreamWriter, behind: WriteBehind)?
    // After an error; a stream that is finished stays.
    defer { open?.behind.abandon() }
    while let outcome = feed.peek() {
      switch outcome {
      case .fatal(let error): throw error
      case .bad(let failure):
        if packing.isStrict { throw failure }
        report(failure)
        skip(set.path(feed.chosen[feed.position]), failure)
      case .good(let picture):
        let entry = feed.chosen[feed.position]
        let name = set.entryName(entry)
        // Eight bytes for each offset and four for the label.
        let cost = picture.bytes.count + name.count + 20 + (picture.mask.map { $0.count + 8 } ?? 0)
        if let limit = output.shardSize, size > 0, size + cost > limit {
          try finish(open!, entries: start..<feed.position, sharded: true)
          return
        }
        size += cost
        if open == nil {
          let writer = try output.writer(shard, metadata: metadata)
          open = (writer, WriteBehind(writer))
        }
        add(picture, name: name, label: set.classes == nil ? nil : set.label(entry))
        if record.isFull(rows: packing.rowsPerRecord, shape: set.pixelShape) {
          try open!.behind.write([record.take(shape: set.pixelShape)])
        }
      }
      feed.advance()
      progress(feed.position)
    }
    guard let open else {
      throw Failure(.data, "\(set.name): none of \(counted(skippedCount, "picture")) can be read")
    }
    try finish(open, entries: start..<feed.position, sharded: output.shardSize != nil)
  }

  private mutating func skip(_ path: String, _ failure: Failure) {
    skippedCount += 1
    guard skipped.count < PicturePacking.maximumListed else { return }
    let why =
      failure.message.hasPrefix(path + ": ") ? String(failure.message.dropFirst(path.count + 2)) : failure.message
    skipped.append(ImagesHeader.Skipped(path: path, why: why))
  }

  private mutating func add(_ picture: PictureFeed.Checked, name: [UInt8], label: Int32?) {
    record.add(picture.bytes, name: name, label: label, mask: picture.mask)
    if let label { perClass[label, default: 0] += 1 }
    if !picture.isGrey { coloured += 1 }
    statistics.add(picture.statistics)
    smallest = [min(smallest[0], picture.height), min(smallest[1], picture.width)]
    largest = [max(largest[0], picture.height), max(largest[1], picture.width)]
    rows += 1
  }

  private mutating func finish(
    _ open: (writer: StreamWriter, behind: WriteBehind), entries: Range<Int>, sharded: Bool
  ) throws {
    if record.rows > 0 { try open.behind.write([record.take(shape: set.pixelShape)]) }
    try open.behind.finish()
    var summary = ImagesSummary()
    summary.normalisation = Normalisation(mean: statistics.mean, std: statistics.deviation)
    summary.pixels = statistics.pixels
    if set.pixelShape == nil { summary.sizes = (smallest, largest) }
    if sharded { summary.entries = entries }
    (summary.skipped, summary.skippedCount) = (skipped, skippedCount)
    if set.pixelShape == nil { summary.channels = statistics.sums.count == 1 || coloured == 0 ? 1 : 3 }
    try open.writer.finish(metadata: try summary.metadata())
  }
}

/// A record while pictures are put into it.
private struct RecordMaker {
  private var bytes: [UInt8] = []
  private var offsets: [Int64] = [0]
  private var labels: [Int32] = []
  private var names = RowNames()
  private var masks: [UInt8] = []
  private var maskOffsets: [Int64] = [0]

  var rows: Int { offsets.count - 1 }

  mutating func add(_ picture: [UInt8], name: [UInt8], label: Int32?, mask: [UInt8]?) {
    bytes += picture
    names.append(name)
    offsets.append(Int64(bytes.count))
    if let label { labels.append(label) }
    if let mask {
      masks += mask
      maskOffsets.append(Int64(masks.count))
    }
  }

  func isFull(rows wanted: Int?, shape: PixelShape?) -> Bool {
    if let wanted { return rows >= wanted }
    if let shape { return rows >= max(1, min(1024, (1 << 20) / shape.count)) }
    return bytes.count + masks.count >= 1 << 20 || rows >= 1024
  }

  /// The record's tensors; empties it.
  mutating func take(shape: PixelShape?) -> [NamedTensor] {
    defer { self = RecordMaker() }
    var label: [NamedTensor] =
      (labels.isEmpty ? [] : [(name: "label", tensor: StoredTensor(labels, shape: [rows]))]) + names.tensors
    if maskOffsets.count > 1 {
      label += [
        (MaskTensors.bytes, StoredTensor(masks, shape: [masks.count])),
        (MaskTensors.offsets, StoredTensor(maskOffsets, shape: [maskOffsets.count])),
      ]
    }
    if let shape {
      let pixels = StoredTensor(bytes, shape: [rows, shape.height, shape.width, shape.channels])
      return [(name: "pixels", tensor: pixels)] + label
    }
    return [
      (name: "image.bytes", tensor: StoredTensor(bytes, shape: [bytes.count])),
      (name: "image.offsets", tensor: StoredTensor(offsets, shape: [offsets.count])),
    ] + label
  }
}
