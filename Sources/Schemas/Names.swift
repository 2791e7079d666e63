// The names of rows, by which a picture, its views, its features and what was predicted of it lead back to the file.

import TensorStream

/// A name for each of some rows: `name.bytes`, U8 [total], and `name.offsets`, I64 [rows + 1], which rise from 0 to total.
///
/// A name is any bytes, as file names are. A row without a known name has an empty one.
///
///     let record = try IndexedStream(path: "images.stz").record(2)
///     if let names = try RowNames(record, what: "images.stz: record 3") {
///       print(names.text(0))                       // cat/1.jpg
///       print(names.rows([4, 0]).tensors)          // the names of two rows, for another record
///     }
public struct RowNames: Sendable, Equatable {
  private var bytes: [UInt8] = []
  private var offsets: [Int64] = [0]

  public static let bytesTensor = "name.bytes"
  public static let offsetsTensor = "name.offsets"
  /// The key of an images stream's metadata that lists the operands which names are relative to, as JSON. Where it is, there are names.
  public static let sourcesKey = "sources"

  public var count: Int { offsets.count - 1 }
  /// What the tensors take.
  public var byteCount: Int { bytes.count + 8 * offsets.count }

  public init() {}

  /// Rows whose names are not known.
  public init(unknown rows: Int) { offsets = Array(repeating: 0, count: rows + 1) }

  /// The names of a record's rows; nil where it has none, as in streams of before there were any.
  /// - Parameter what: the stream and the record, for messages.
  /// - Throws: `Failure(.data)` where one tensor is without the other, or they are of other types or shapes, or offsets do not rise.
  public init?(_ record: Record, what: String) throws {
    let (bytes, offsets) = (record[Self.bytesTensor], record[Self.offsetsTensor])
    if bytes == nil && offsets == nil { return nil }
    guard let bytes, let offsets, bytes.type == .u8, bytes.shape.count == 1, offsets.type == .i64,
      offsets.shape.count == 1, offsets.count > 0
    else {
      throw Failure(
        .data, "\(what): expected \(Self.bytesTensor), U8 [total], and \(Self.offsetsTensor), I64 [rows + 1], together")
    }
    self.bytes = try bytes.values(of: UInt8.self)
    self.offsets = try offsets.values(of: Int64.self)
    guard self.offsets.first == 0, self.offsets.last == Int64(bytes.count),
      zip(self.offsets, self.offsets.dropFirst()).allSatisfy({ $0 <= $1 })
    else {
      throw Failure(
        .data, "\(what): \(Self.offsetsTensor) do not rise from 0 to the \(bytes.count) of \(Self.bytesTensor)")
    }
  }

  public mutating func append(_ name: some Collection<UInt8>) {
    bytes.append(contentsOf: name)
    offsets.append(Int64(bytes.count))
  }

  /// The name of a row as it is.
  public subscript(row: Int) -> ArraySlice<UInt8> { bytes[Int(offsets[row])..<Int(offsets[row + 1])] }

  /// Adds the names of some of another's rows, in this order.
  public mutating func append(_ rows: some Sequence<Int>, of names: RowNames) {
    for row in rows { append(names[row]) }
  }

  /// The name of a row as messages show it: see `printable`.
  public func text(_ row: Int) -> String { printable(self[row]) }

  /// `text`; nil where the row's name is not known.
  public func known(_ row: Int) -> String? { self[row].isEmpty ? nil : text(row) }

  /// The names of these rows, in this order.
  public func rows(_ rows: some Sequence<Int>) -> RowNames {
    var chosen = RowNames()
    chosen.append(rows, of: self)
    return chosen
  }

  /// What a record has of them.
  public var tensors: [NamedTensor] {
    [
      (Self.bytesTensor, StoredTensor(bytes, shape: [bytes.count])),
      (Self.offsetsTensor, StoredTensor(offsets, shape: [offsets.count])),
    ]
  }
}

extension Optional where Wrapped == RowNames {
  /// Adds rows that follow `count` others. Where only some have names, the others have empty ones; where none have, this stays nil.
  public mutating func append(_ rows: Range<Int>, of names: RowNames?, after count: Int) {
    if self == nil, names == nil { return }
    var all = self ?? RowNames(unknown: count)
    // The only one, so that it grows in place.
    self = nil
    all.append(rows, of: names ?? RowNames(unknown: rows.upperBound))
    self = all
  }

  /// A picture as messages call it: "7 (cat/7.jpg)", or "7" where its name is not known.
  public func picture(_ number: some BinaryInteger, row: Int) -> String {
    guard let name = self?.known(row) else { return "\(number)" }
    return "\(number) (\(name))"
  }
}
