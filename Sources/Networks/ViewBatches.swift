import Foundation
import TensorStream

/// Rows of a `views` stream as batches: cut anew from its records, never across the end of an epoch.
public final class ViewBatches {
  /// What every row has: some recipes' pixels, and what else the stream carries.
  public struct Rows: Sendable {
    public fileprivate(set) var count = 0
    /// For each recipe asked for, [count, side, side, channels].
    public fileprivate(set) var pixels: [String: [UInt8]] = [:]
    /// Each row's number in the set of images.
    public fileprivate(set) var index: [Int64] = []
    /// Empty where the stream has no labels.
    public fileprivate(set) var label: [Int32] = []
    /// [count · N], or empty where the stream has no permutations.
    public fileprivate(set) var shuffle: [Int32] = []
  }

  public let reader: StreamReader
  public let recipes: [String]
  public let side: Int
  public let channels: Int
  /// Of the images that the views were made from.
  public let normalisation: Normalisation
  public let epochs: Int
  public let rowsPerEpoch: Int
  public let firstEpoch: Int
  /// The row of the first epoch at which the stream begins.
  public let firstRow: Int
  /// Names of the classes, where the stream has them.
  public let classes: [String]?
  /// Rows taken or skipped so far, those of the first epoch that the stream leaves out included.
  public private(set) var position: Int
  private var record: Record?
  private var used = 0

  /// - Parameters:
  ///   - recipes: the views that are read; each must be in the stream.
  ///   - side: the image that the network takes; a stream of another size is an error.
  /// - Throws: `Failure(.data)` naming what is missing or does not fit.
  public init(_ reader: StreamReader, recipes: [String], side: Int, channels: Int) throws {
    self.reader = reader
    self.recipes = recipes
    self.side = side
    self.channels = channels
    let metadata = reader.header.metadata
    func value<T: Decodable>(_ key: String, _ type: T.Type) throws -> T {
      guard let text = metadata[key] else { throw Failure(.data, "\(reader.name): the views have no \"\(key)\"") }
      return try JSONText.decode(type, from: text, what: "\(reader.name): metadata \"\(key)\"")
    }
    guard let normalisation = try Normalisation(metadata, channels: channels, source: reader.name) else {
      throw Failure(.data, "\(reader.name): the views have no \"mean\" and \"std\"")
    }
    self.normalisation = normalisation
    epochs = try value("epochs", Int.self)
    rowsPerEpoch = try value("rows_per_epoch", Int.self)
    firstEpoch = metadata["first_epoch"] == nil ? 0 : try value("first_epoch", Int.self)
    firstRow = metadata["first_row"] == nil ? 0 : try value("first_row", Int.self)
    position = firstRow
    classes = try WeightsFile.classNames(of: reader.header, source: reader.name)
    guard epochs >= 0, firstEpoch >= 0, rowsPerEpoch >= 0, epochs < 1 << 31, firstEpoch < 1 << 31,
      rowsPerEpoch < 1 << 31
    else {
      throw Failure(.data, "\(reader.name): epochs \(epochs) of \(rowsPerEpoch) rows from \(firstEpoch) cannot be")
    }
    guard (0...rowsPerEpoch).contains(firstRow) else {
      throw Failure(.data, "\(reader.name): begins at row \(firstRow) of epochs of \(rowsPerEpoch) rows")
    }
    if rowsPerEpoch == 0 || epochs == 0 { throw Failure(.data, "\(reader.name): holds no rows") }
  }

  /// Whether the stream has a recipe, as far as its metadata says so.
  public static func has(_ recipe: String, in reader: StreamReader) throws -> Bool {
    guard let text = reader.header.metadata["recipes"] else { return true }
    return try JSONText.decode([String].self, from: text, what: "\(reader.name): metadata \"recipes\"").contains(recipe)
  }

  /// The next `count` rows.
  /// - Throws: `Failure(.data)` where the stream ends before, or a tensor is missing or of another shape.
  public func take(_ count: Int) throws -> Rows {
    var rows = Rows()
    for recipe in recipes { rows.pixels[recipe] = [] }
    while rows.count < count {
      let (record, available) = try current()
      let n = min(count - rows.count, available)
      try append(record, used..<used + n, to: &rows)
      advance(n)
    }
    return rows
  }

  /// Passes over `count` rows.
  public func skip(_ count: Int) throws {
    var left = count
    while left > 0 {
      let n = min(left, try current().available)
      advance(n)
      left -= n
    }
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
          .data,
          "\(reader.name): ends after \(position) rows: expected \(epochs) epochs of \(rowsPerEpoch) rows")
      }
      if next.rows == 0 { continue }
      try check(next)
      record = next
      used = 0
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
        throw Failure(
          .data,
          "\(reader.name): after row \(position): \"\(name)\" is \(tensor.type.rawValue) \(tensor.shape), expected \(type.rawValue) \([record.rows] + shape)"
        )
      }
    }
    for recipe in recipes { try tensor(recipe, .u8, [side, side, channels]) }
    if record["index"] != nil { try tensor("index", .i64, []) }
    if record["label"] != nil { try tensor("label", .i32, []) }
    if let shuffle = record["shuffle"] {
      if shuffle.type != .i32 || shuffle.shape.count != 2 { try tensor("shuffle", .i32, [0]) }
    }
  }

  private func append(_ record: Record, _ range: Range<Int>, to rows: inout Rows) throws {
    for recipe in recipes {
      guard let tensor = record[recipe] else { continue }
      let size = side * side * channels
      tensor.withUnsafeBytes { bytes in
        let part = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
        rows.pixels[recipe]?.append(contentsOf: part)
      }
    }
    if let tensor = record["index"] {
      try tensor.withValues(of: Int64.self) { rows.index.append(contentsOf: $0[range]) }
    } else {
      rows.index.append(contentsOf: range.map { Int64(position + $0 - range.lowerBound) })
    }
    if let tensor = record["label"] {
      try tensor.withValues(of: Int32.self) { rows.label.append(contentsOf: $0[range]) }
    }
    if let tensor = record["shuffle"] {
      let n = tensor.shape[1]
      try tensor.withValues(of: Int32.self) {
        rows.shuffle.append(contentsOf: $0[range.lowerBound * n..<range.upperBound * n])
      }
    }
    rows.count += range.count
  }
}

extension ViewBatches.Rows {
  /// A recipe's pixels as a network's input.
  /// - Parameter normalisation: a model's own; nil for that of the views.
  public func images(
    _ recipe: String, of batches: ViewBatches, normalisation: Normalisation? = nil
  ) -> ImageBatch {
    let normalisation = normalisation ?? batches.normalisation
    return ImageBatch(
      pixels: pixels[recipe] ?? [], count: count, side: batches.side, channels: batches.channels,
      mean: normalisation.mean, std: normalisation.std)
  }
}

/// How many whole batches an epoch has; what is left over is passed over.
/// - Parameter source: what a message calls the images.
/// - Throws: `Failure(.data)` where there is not even one.
public func stepsPerEpoch(rows: Int, batch: Int, source: String) throws -> Int {
  if rows < batch {
    throw Failure(
      .data, "\(source): an epoch of \(rows) images is fewer than a batch of \(batch): use a smaller --batch")
  }
  return rows / batch
}
