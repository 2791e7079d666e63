import Foundation
import Schemas
import TensorStream

/// Rows of a `views` stream as batches: cut anew from its records, never across the end of an epoch.
///
///     let reader = try StreamReader(path: "views.stz", kinds: ["views"])
///     let batches = try ViewBatches(reader, views: [ViewNeed("simple", side: 224)], channels: 3)
///     while batches.position + 64 <= batches.epochs * batches.rowsPerEpoch {
///       let rows = try batches.take(64)
///       let images = rows.images("simple", of: batches)
///       print(images.count, rows.index)
///     }
public final class ViewBatches {
  /// What every row has: some recipes' pixels, and what else the stream carries.
  public struct Rows: Sendable {
    public fileprivate(set) var count = 0
    /// For each recipe that is read, [count, side, side, channels] of that view.
    public fileprivate(set) var pixels: [String: [UInt8]] = [:]
    /// Each row's number in the set of images.
    public fileprivate(set) var index: [Int64] = []
    /// Empty where the stream has no labels.
    public fileprivate(set) var label: [Int32] = []
    /// The file of each row's picture; nil where the stream has no names.
    public fileprivate(set) var names: RowNames?
    /// [count · N], or empty where the stream has no permutations.
    public fileprivate(set) var shuffle: [Int32] = []
    /// Other draws that the stream has, [count · N] each; those of more dimensions row by row.
    public fileprivate(set) var draws: [String: [Int32]] = [:]
    /// The masks of the view whose masks are read, [count, maskHeight, maskWidth]; empty where the stream has none.
    public fileprivate(set) var masks: [UInt8] = []
    public fileprivate(set) var (maskHeight, maskWidth) = (0, 0)
  }

  public let reader: StreamReader
  public let header: ViewsHeader
  /// The views that are read.
  public private(set) var views: [ViewNeed]
  private let families: Set<String>
  /// Names of integers for each patch of each row, which a stream may have.
  public let draws: [String]
  public let channels: Int
  /// Of the images that the views were made from.
  public let normalisation: Normalisation
  public var epochs: Int { header.epochs }
  public var rowsPerEpoch: Int { header.rowsPerEpoch }
  public var firstEpoch: Int { header.firstEpoch }
  /// Rows taken or skipped so far, those of the first epoch that the stream leaves out included.
  public private(set) var position: Int
  private var record: Record?
  // Of `record`.
  private var names: RowNames?
  private var masks: (height: Int, width: Int, ids: [UInt8])?
  /// The view whose masks are read.
  private let masked: String?
  private var used = 0

  /// - Parameters:
  ///   - views: what is read. One that is optional is left out where the stream says that it has none of that name.
  ///   - draws: the names of integers for each patch that are read where the stream has them: u8 or i32 [n, N].
  ///   - masked: the view whose masks are read, where the stream has any.
  ///   - channels: of the network; a stream of other views is an error.
  /// - Throws: `Failure(.data)` naming what is missing or does not fit.
  public init(_ reader: StreamReader, views: [ViewNeed], draws: [String] = [], masked: String? = nil, channels: Int)
    throws
  {
    self.reader = reader
    self.masked = masked
    self.draws = draws
    self.channels = channels
    header = try ViewsHeader(reader.header, source: reader.name)
    guard let normalisation = try Normalisation(of: reader.header, channels: channels, source: reader.name) else {
      throw Failure(.data, "\(reader.name): the views have no \"mean\" and \"std\"")
    }
    try normalisation.requireUsable(source: reader.name)
    self.normalisation = normalisation
    let there = header.recipes.map(\.name)
    self.views = views.flatMap { $0.members(of: there) }
    families = Set(views.compactMap(\.family))
    position = header.firstRow
  }

  /// Whether a view is read.
  public func has(_ view: String) -> Bool { views.contains { $0.name == view } }

  /// What the views of a run must say of themselves from its first step to its last.
  public func identity() throws -> [String: String] {
    var identity = try header.identity(recipes: views.map(\.name))
    for family in families { identity["number of \(family)"] = String(views.count { $0.family == family }) }
    return identity
  }

  /// What all ranks of a run must have in common, by the names that a message uses.
  /// - Parameters:
  ///   - options: the run's configuration, JSON.
  ///   - identity: what the run knows these views by.
  public func facts(options: String, identity: [String: String]) throws -> [String: String] {
    var facts = try flattened(options, source: "the options")
    for (key, value) in identity { facts["\(key) of the views"] = value }
    facts["epochs of the views"] = "\(firstEpoch) to \(firstEpoch + epochs - 1)"
    return facts
  }

  /// The names of the views of a family, in order.
  public func members(of family: String) -> [String] { views.filter { $0.family == family }.map(\.name) }

  /// The next `count` rows.
  /// - Throws: `Failure(.data)` where the stream ends before or does not have them, or a tensor is missing or of another shape.
  public func take(_ count: Int) throws -> Rows {
    if let part = header.part, heldRows(count) < count {
      throw Failure(
        .data,
        "\(reader.name): holds part \(part.text) of batches of \(part.batch), which has not all of the \(count) rows from row \(position) on"
      )
    }
    var rows = Rows()
    for view in views { rows.pixels[view.name] = [] }
    while rows.count < count {
      let (record, available) = try current()
      let n = min(count - rows.count, available)
      try requireOneShape(of: record, as: rows)
      try append(record, used..<used + n, to: &rows)
      advance(n)
    }
    return rows
  }

  /// Passes over `count` rows. Those that the stream does not have cost nothing.
  public func skip(_ count: Int) throws {
    let end = position + count
    var left = heldRows(count)
    while left > 0 {
      let n = min(left, try current().available)
      advance(n)
      left -= n
    }
    position = end
  }

  /// How many of the next rows the stream has.
  private func heldRows(_ count: Int) -> Int {
    header.part?.count(in: position..<position + count, rowsPerEpoch: rowsPerEpoch) ?? count
  }

  /// Reads to the end of the stream, so that it is known to be whole.
  /// - Throws: `Failure(.data)` where it is not, or holds more rows than its metadata says.
  public func finish() throws {
    while record == nil, let next = try reader.next() {
      if next.rows > 0 {
        throw Failure(
          .data, "\(reader.name): holds more than the \(epochs) epochs of \(rowsPerEpoch) rows that it announces")
      }
    }
  }

  private func advance(_ n: Int) {
    used += n
    position += n
    if let record, used == record.rows { self.record = nil }
  }

  private func current() throws -> (record: Record, available: Int) {
    while record == nil {
      guard let next = try reader.next() else {
        throw Failure(
          .data, "\(reader.name): ends after \(position) rows: expected \(epochs) epochs of \(rowsPerEpoch) rows")
      }
      if next.rows == 0 { continue }
      try check(next)
      names = try RowNames(next, what: "\(reader.name): after row \(position)")
      masks = try masked.flatMap { view in
        try header.masks.flatMap {
          try MaskTensors.masks(of: view, in: next, classes: $0, place: "\(reader.name): after row \(position)")
        }
      }
      (record, used) = (next, 0)
    }
    guard let record else { preconditionFailure("a record was just read") }
    return (record, record.rows - used)
  }

  private func check(_ record: Record) throws {
    func tensor(_ name: String, _ type: ElementType, _ shape: [Int]) throws {
      guard let tensor = record[name] else {
        throw Failure(
          .data,
          "\(reader.name): after row \(position): no tensor \"\(name)\" (there are \(record.tensors.map(\.name).joined(separator: ", ")))"
        )
      }
      let rest = Array(tensor.shape.dropFirst())
      if tensor.type != type || rest != shape && shape != [-1] {
        let isOtherSize = type == .u8 && rest.count == 3 && rest[0] == rest[1] && rest[2] == shape.last
        throw Failure(
          .data,
          "\(reader.name): after row \(position): \"\(name)\" is \(tensor.type.rawValue) \(tensor.shape), expected \(type.rawValue) \([record.rows] + shape)"
            + (isOtherSize
              ? ": --image \(rest[0]) makes the model take this size, or pmae-augment --size \(shape[0]) views of its own"
              : ""))
      }
    }
    for place in views.indices where views[place].isAnyShape { try takeShape(of: place, from: record) }
    for place in views.indices where views[place].side == 0 {
      // The first of a family says what the others must be.
      let family = views[place].family
      if let shape = record[views[place].name]?.shape, shape.count == 4, shape[1] > 0,
        shape[1].isMultiple(of: views[place].multiple)
      {
        for other in views.indices where other == place || family != nil && views[other].family == family {
          (views[other].height, views[other].width) = (shape[1], shape[1])
        }
      } else if let found = record[views[place].name] {
        throw Failure(
          .data,
          "\(reader.name): after row \(position): \"\(views[place].name)\" is \(found.shape), expected squares whose side is a multiple of \(views[place].multiple)"
        )
      }
    }
    for view in views { try tensor(view.name, .u8, [view.height, view.width, channels]) }
    if record[ViewTensors.index] != nil { try tensor(ViewTensors.index, .i64, []) }
    if let shuffle = record[ViewTensors.shuffle] {
      if shuffle.type != .i32 || shuffle.shape.count != 2 { try tensor(ViewTensors.shuffle, .i32, [0]) }
    }
    for name in draws {
      guard let numbers = record[name] else { continue }
      let type = numbers.type == .u8 ? ElementType.u8 : .i32
      if numbers.type != type || numbers.shape.count < 2 { try tensor(name, type, [0]) }
    }
  }

  private func takeShape(of place: Int, from record: Record) throws {
    (views[place].height, views[place].width) = try shape(of: views[place], in: record)
  }

  /// Throws where rows that are taken together are of several shapes.
  private func requireOneShape(of record: Record, as rows: Rows) throws {
    if rows.count == 0 { return }
    for view in views
    where view.isAnyShape && rows.pixels[view.name]?.count != rows.count * view.height * view.width * channels {
      throw Failure(
        .data,
        "\(reader.name): row \(position): \"\(view.name)\" is \(view.height) × \(view.width), and the rows before it are not: "
          + "a batch needs pictures of one size")
    }
    if !rows.masks.isEmpty, masks.map({ $0.height != rows.maskHeight || $0.width != rows.maskWidth }) ?? true {
      throw Failure(.data, "\(reader.name): row \(position): its mask is not of the size of the masks before it")
    }
  }

  private func append(_ record: Record, _ range: Range<Int>, to rows: inout Rows) throws {
    for view in views {
      guard let tensor = record[view.name] else { continue }
      let size = view.height * view.width * channels
      tensor.withUnsafeBytes { bytes in
        let part = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
        rows.pixels[view.name]?.append(contentsOf: part)
      }
    }
    if let tensor = record[ViewTensors.index] {
      try tensor.withValues(of: Int64.self) { rows.index.append(contentsOf: $0[range]) }
    } else {
      rows.index.append(contentsOf: range.map { Int64(position + $0 - range.lowerBound) })
    }
    let place = "\(reader.name): after row \(position)"
    if let labels = try Targets.labels(of: record, rows: record.rows, place: place) {
      rows.label.append(contentsOf: labels[range])
    }
    if let tensor = record[ViewTensors.shuffle] {
      let n = tensor.shape[1]
      try tensor.withValues(of: Int32.self) {
        rows.shuffle.append(contentsOf: $0[range.lowerBound * n..<range.upperBound * n])
      }
    }
    for name in draws {
      guard let tensor = record[name] else {
        if rows.draws[name] != nil { throw Failure(.data, "\(place): no tensor \"\(name)\", which rows before had") }
        continue
      }
      if rows.count > 0, rows.draws[name] == nil {
        throw Failure(.data, "\(place): a tensor \"\(name)\", which rows before had not")
      }
      let size = tensor.shape.dropFirst().reduce(1, *)
      let part = range.lowerBound * size..<range.upperBound * size
      var numbers = rows.draws[name] ?? []
      if tensor.type == .u8 {
        try tensor.withValues(of: UInt8.self) { numbers.append(contentsOf: $0[part].map(Int32.init)) }
      } else {
        try tensor.withValues(of: Int32.self) { numbers.append(contentsOf: $0[part]) }
      }
      rows.draws[name] = numbers
    }
    if let masks {
      let area = masks.height * masks.width
      (rows.maskHeight, rows.maskWidth) = (masks.height, masks.width)
      rows.masks.append(contentsOf: masks.ids[range.lowerBound * area..<range.upperBound * area])
    }
    rows.names.append(range, of: names, after: rows.count)
    rows.count += range.count
  }
}
