// The pictures of one or several images streams in any order. What was read is kept: of a set that fits, all,
// which is then read once; of a larger one, what the order still needs.

import Parallel
import Schemas
import TensorStream

/// Images streams, one after the other, whose pictures can be read in any order. One thread at a time may call it.
public final class ImageStore {
  /// The streams' names.
  public let name: String
  /// Of each stream, for provenance.
  public let inputs: [(name: String, header: Record, digest: String)]
  /// Pictures of all streams, and how many views an epoch has of each recipe.
  public let rows: Int
  /// Height, width and channels of the first picture where the first stream holds pixels; nil where it holds picture files.
  public let pixelShape: (height: Int, width: Int, channels: Int)?
  public let isLabelled: Bool
  /// Whether pictures have names. Those of a stream without have empty ones then.
  public let isNamed: Bool
  /// What the ids of masks mean; nil for pictures without masks.
  public let masks: MaskClasses?
  /// 1 where all pictures are grey, as the streams say; otherwise 3.
  public let channels: Int
  /// The class names; nil where there are none.
  public let classes: [String]?
  /// What the streams say of themselves, together; nil where one of them does not. Weighed by how often an epoch shows each.
  public let statistics: ChannelStatistics?

  /// A record's place: the stream, and the number in it.
  private let places: [(set: Int, record: Int)]
  private let streams: [IndexedStream]
  private let labelNumbers: [[Int32]?]
  private let quotas: [SetQuota]
  private var kept: [Int: ImageRecord] = [:]
  /// A record that was read to see what the stream holds, and is still to be used.
  private var peeked: Int?
  private let limit: Int
  private let firstRows: [Int]
  private let recordRows: [Int]
  private let recordBytes: [Int]
  /// What stands between the classes in a label's name; nil where a picture has one class.
  public let labelSeparator: String?
  /// Whether all of it may be kept.
  private let fits: Bool
  private let ignoresLabels: Bool
  private let ignoresMasks: Bool

  /// Opens one stream: a file, or a pipe (`-`), which is read to its end.
  public convenience init(path: String, memory: Int) throws {
    try self.init([ImageInput(path: path)], memory: memory)
  }

  /// Opens streams, which become one set in this order.
  /// - Parameters:
  ///   - inputs: at least one; a pipe (`-`) only alone. All with weights or all without.
  ///   - mergesClasses: whether different class lists become one.
  ///   - ignoresLabels: leaves labels and classes out, so that sets with and without go together.
  ///   - ignoresMasks: whether masks are left out, so that sets with and without go together.
  ///   - memory: how many bytes of pictures may be kept at once.
  /// - Throws: `Failure(.data)` for a stream that is damaged, of another kind, or without rows, for a pipe that brings more
  ///   than `memory`, and for sets of different classes; `Failure(.usage)` where weights are missing or leave a set without a row.
  public init(
    _ inputs: [ImageInput], mergesClasses: Bool = false, ignoresLabels: Bool = false, ignoresMasks: Bool = false,
    memory: Int
  ) throws {
    limit = memory
    self.ignoresLabels = ignoresLabels
    self.ignoresMasks = ignoresMasks
    var setRows: [Int] = []
    if inputs.count == 1, inputs[0].path == "-" {
      let reader = try StreamReader(path: "-", kinds: [StreamKind.images.rawValue])
      let records = try Self.readAll(reader, ignoresLabels: ignoresLabels, ignoresMasks: ignoresMasks, memory: memory)
      streams = []
      self.inputs = [(reader.name, reader.header, reader.digest)]
      places = records.indices.map { (0, $0) }
      recordRows = records.map { $0.rows }
      recordBytes = records.map { $0.byteCount }
      kept = Dictionary(uniqueKeysWithValues: records.enumerated().map { ($0, $1) })
      setRows = [reader.rowsRead]
    } else {
      if inputs.contains(where: { $0.path == "-" }) {
        throw Failure(.usage, "standard input can only be the one input")
      }
      let streams = try inputs.map { try IndexedStream(path: $0.path, kinds: [StreamKind.images.rawValue]) }
      self.streams = streams
      self.inputs = streams.map { ($0.name, $0.header, $0.digest) }
      places = streams.enumerated().flatMap { set, stream in (0..<stream.recordCount).map { (set, $0) } }
      recordRows = streams.flatMap { $0.rowsPerRecord }
      recordBytes = streams.flatMap { stream in (0..<stream.recordCount).map { stream.byteCount(ofRecord: $0) } }
      setRows = streams.map { $0.rows }
    }
    let names = self.inputs.map { $0.name }
    name = names.count > 3 ? "\(names[0]) and \(names.count - 1) more" : names.joined(separator: ", ")
    for (name, rows) in zip(names, setRows) where rows == 0 {
      throw Failure(.data, "\(name): a stream of zero rows: there are no pictures in it")
    }
    var row = 0
    firstRows = recordRows.map { count in
      defer { row += count }
      return row
    }
    rows = row
    fits = recordBytes.reduce(0, +) <= memory

    quotas = try Self.quotas(inputs, rows: setRows)
    statistics = try Self.statistics(of: self.inputs, taken: quotas.isEmpty ? setRows : quotas.map { $0.taken })
    let merging = try ClassMerging(
      sets: self.inputs.map { ($0.name, ignoresLabels ? nil : try ClassNames.of($0.header, source: $0.name)) },
      merges: mergesClasses)
    labelSeparator = ignoresLabels ? nil : try StreamAgreement.labelSeparator(of: self.inputs)
    labelNumbers = merging.numbers
    classes = merging.classes

    masks = ignoresMasks ? nil : try StreamAgreement.masks(of: self.inputs)

    // The first record that has rows.
    let first = firstRows.lastIndex(of: 0)!
    if kept[first] == nil {
      let read = try ImageRecord(
        streams[0].record(places[first].record), name: names[0], number: places[first].record + 1, firstRow: 0)
      let record = ignoresMasks ? read.maskless : read
      try record.expect(masks: masks != nil)
      kept[first] = try ignoresLabels ? record.unlabelled : record.relabelled(merging.numbers[0])
      peeked = first
    }
    let record = kept[first]!
    isLabelled = record.labels != nil
    isNamed = record.names != nil || self.inputs.contains { $0.header.metadata[RowNames.sourcesKey] != nil }
    if case .pixels(let tensor) = record.content {
      pixelShape = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    } else {
      pixelShape = nil
    }
    let areGrey = try self.inputs.allSatisfy { try ImagesHeader($0.header, source: $0.name).channels == 1 }
    channels = areGrey || pixelShape?.channels == 1 ? 1 : 3
  }

  private static func readAll(
    _ reader: StreamReader, ignoresLabels: Bool, ignoresMasks: Bool, memory: Int
  ) throws -> [ImageRecord] {
    let hasMasks = try !ignoresMasks && MaskClasses.of(reader.header, source: reader.name) != nil
    var records: [ImageRecord] = []
    var (row, bytes) = (0, 0)
    while let record = try reader.next() {
      let read = try ImageRecord(record, name: reader.name, number: records.count + 1, firstRow: row)
      let masked = ignoresMasks ? read.maskless : read
      try masked.expect(masks: hasMasks)
      let checked = ignoresLabels ? masked.unlabelled : masked
      try checked.expect(labels: records.first.map { $0.labels != nil })
      bytes += checked.byteCount
      guard bytes <= memory else {
        throw Failure(
          .data,
          "\(reader.name): more than the \(grouped(memory)) bytes that may be kept: views need pictures in any order; save the "
            + "stream to a file first, or raise --shuffle-memory")
      }
      records.append(checked)
      row += checked.rows
    }
    return records
  }

  /// None where there are no weights.
  private static func quotas(_ inputs: [ImageInput], rows: [Int]) throws -> [SetQuota] {
    let weights = inputs.compactMap { $0.weight }
    if weights.isEmpty || (weights.count == 1 && inputs.count == 1) { return [] }
    if let without = inputs.first(where: { $0.weight == nil }) {
      throw Failure(.usage, "\(without.path): has no weight, but others have: expected FILE:WEIGHT for all or for none")
    }
    let quotas = SetQuota.quotas(rows: rows, weights: weights)
    for (input, quota) in zip(inputs, quotas) where quota.taken == 0 {
      throw Failure(
        .usage, "\(input.path): with its weight an epoch of \(grouped(rows.reduce(0, +))) pictures has none of it")
    }
    return quotas
  }

  /// The mean of all pictures that an epoch shows, and their deviation about it.
  private static func statistics(
    of sets: [(name: String, header: Record, digest: String)], taken: [Int]
  ) throws -> ChannelStatistics? {
    var all: [ChannelStatistics] = []
    for set in sets {
      guard let found = try Normalisation(of: set.header, source: set.name) else { continue }
      guard found.mean.count == 1 || found.mean.count == 3 else {
        throw Failure(.data, "\(set.name): metadata \"mean\" has \(found.mean.count) values: expected 1 or 3")
      }
      all.append(ChannelStatistics(mean: found.mean, std: found.std))
    }
    guard all.count == sets.count else { return nil }
    if all.count == 1 { return all[0] }
    let channels = all.map { $0.mean.count }.max() ?? 1
    let total = Double(taken.reduce(0, +))
    var (mean, square) = ([Double](repeating: 0, count: channels), [Double](repeating: 0, count: channels))
    for (set, rows) in zip(all, taken) {
      for c in 0..<channels {
        // A grey picture's three channels are equal.
        let (m, s) = set.mean.count == 1 ? (set.mean[0], set.std[0]) : (set.mean[c], set.std[c])
        mean[c] += Double(rows) / total * m
        square[c] += Double(rows) / total * (s * s + m * m)
      }
    }
    return ChannelStatistics(mean: mean, std: zip(mean, square).map { max(0, $1 - $0 * $0).squareRoot() })
  }

  /// How the rows of an epoch follow each other, for `ViewsHeader.order`: the same words for the same order.
  func orderText(shuffles: Bool) -> String {
    let order = !shuffles ? "own" : fits ? "whole" : "groups of \(limit) bytes"
    return quotas.isEmpty ? order : "\(order), \(quotas.map { String($0.taken) }.joined(separator: " + ")) of the sets"
  }

  /// The pictures of an epoch in their order.
  func order(seed: UInt64, epoch: Int, shuffles: Bool) -> EpochOrder {
    EpochOrder(
      recordRows: recordRows, recordBytes: recordBytes, memory: limit, seed: seed, epoch: epoch, shuffles: shuffles,
      quotas: quotas)
  }

  /// Lets go of what is not among these records, unless there is room for all.
  func forget(except needed: Set<Int>) {
    if fits { return }
    if let number = peeked, needed.contains(number) { peeked = nil }
    for number in Array(kept.keys) where !needed.contains(number) && number != peeked { kept[number] = nil }
  }

  /// Says that these rows will be asked for next, so that the system reads ahead what is not kept.
  func announce(_ rows: [Int]) {
    if streams.isEmpty { return }
    for number in Set(rows.map { place(of: $0).record }) where !isKept(number) {
      streams[places[number].set].willRead(places[number].record)
    }
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
    if streams.isEmpty || missing.isEmpty { return result }
    var read = [Result<ImageRecord, any Error>?](repeating: nil, count: missing.count)
    let (streams, places, labelNumbers, isLabelled) = (streams, places, labelNumbers, isLabelled)
    let (ignoresLabels, ignoresMasks, hasMasks) = (ignoresLabels, ignoresMasks, masks != nil)
    read.withUnsafeMutableBufferPointer { read in
      pool.run(missing.count) { (task: Int) in
        let (set, number) = places[missing[task]]
        let stream = streams[set]
        read[task] = Result {
          let whole = try ImageRecord(
            stream.record(number), name: stream.name, number: number + 1, firstRow: stream.firstRow(ofRecord: number))
          let record = ignoresMasks ? whole.maskless : whole
          try record.expect(masks: hasMasks)
          if ignoresLabels { return record.unlabelled }
          try record.expect(labels: isLabelled)
          return try record.relabelled(labelNumbers[set])
        }
      }
    }
    for (number, outcome) in zip(missing, read) {
      let record = try outcome!.get()
      result[number] = record
      kept[number] = record
    }
    return result
  }
}
