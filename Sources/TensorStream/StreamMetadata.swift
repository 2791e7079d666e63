/// The metadata that make a record the first of a stream.
struct StreamMetadata {
  static let version = "1"
  /// The keys that a writer sets itself.
  static let reserved: Set<String> = ["stream", "kind", "end", "rows"]

  let kind: String

  init(_ metadata: [String: String], kinds: [String]?) throws {
    guard let version = metadata["stream"] else {
      throw Damage.malformed("not the first record of a tensor stream: its metadata have no \"stream\"")
    }
    guard version == Self.version else {
      throw Damage.malformed("a stream of version \(quoted(version)); expected \"\(Self.version)\"")
    }
    guard let kind = metadata["kind"] else { throw Damage.malformed("the metadata have no \"kind\"") }
    try Self.check(kind: kind, kinds: kinds)
    self.kind = kind
  }

  static func check(kind: String, kinds: [String]?) throws {
    guard let kinds, !kinds.contains(kind) else { return }
    throw Damage.malformed("holds \(quoted(kind)), expected \(kinds.joined(separator: " or "))")
  }
}

/// What the end record says of the stream that it ends.
struct EndRecord {
  /// Rows of all data records.
  let total: Int
  /// Rows of each data record; nil in a one-record file that does not say.
  let rows: [Int]?

  static func isEnd(_ record: Record) -> Bool { record.isLast }

  /// - Parameter single: it is the first record too, of a one-record file, where its tensors are the content.
  init(_ record: Record, single: Bool) throws {
    total = try Self.parsed(record.metadata["end"] ?? "", "end") { try $0.integer() }
    if let text = record.metadata["rows"] {
      let rows = try Self.parsed(text, "rows") { try $0.integers() }
      var sum = 0
      for count in rows {
        let (next, overflow) = sum.addingReportingOverflow(count)
        guard !overflow else { throw Damage.malformed("end record: its \"rows\" are too many") }
        sum = next
      }
      guard sum == total else {
        throw Damage.malformed("end record: its \"rows\" add up to \(grouped(sum)), its \"end\" says \(grouped(total))")
      }
      self.rows = rows
    } else if single {
      rows = nil
    } else {
      throw Damage.malformed("end record: its metadata have no \"rows\"")
    }
    if !single, let extra = record.tensors.first {
      throw Damage.malformed("end record: holds the tensor \(quoted(extra.name)), expected none")
    }
  }

  /// Compares the promise with what was read.
  func check(rows found: [Int]) throws {
    guard let rows, rows != found else { return }
    if total != found.reduce(0, +) || rows.count != found.count {
      throw Damage.malformed(
        "end record: promises \(counted(total, "row")) in \(counted(rows.count, "record")), found "
          + "\(counted(found.reduce(0, +), "row")) in \(counted(found.count, "record"))")
    }
    for (i, pair) in zip(rows, found).enumerated() where pair.0 != pair.1 {
      throw Damage.malformed("end record: promises \(counted(pair.0, "row")) in record \(i + 1), found \(pair.1)")
    }
  }

  /// The first record as it is once the end record is known, whose other metadata are the first's too.
  static func header(_ first: Record, completedBy end: Record) -> Record {
    var header = first
    header.metadata.merge(end.metadata.filter { !StreamMetadata.reserved.contains($0.key) }) { $1 }
    return header
  }

  /// The metadata of an end record.
  static func metadata(rows: [Int]) -> [String: String] {
    ["end": String(rows.reduce(0, +)), "rows": "[" + rows.map(String.init).joined(separator: ",") + "]"]
  }

  private static func parsed<T>(_ text: String, _ key: String, _ body: (inout JSONScanner) throws -> T) throws -> T {
    var text = text
    return try text.withUTF8 { utf8 in
      var scanner = JSONScanner(UnsafeRawBufferPointer(utf8))
      do {
        let value = try body(&scanner)
        guard scanner.peek() == nil else { throw scanner.unexpected("nothing more") }
        return value
      } catch Damage.malformed(let what) {
        throw Damage.malformed("end record: \"\(key)\": \(what)")
      }
    }
  }
}

extension Record {
  /// Whether it is the last of its stream: of a one-record file it is the first too.
  public var isLast: Bool { metadata["end"] != nil }
}
