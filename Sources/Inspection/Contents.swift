// What is in a file. It reads as little as the container allows.

import Schemas
import TensorStream

/// What is in a stream or a safetensors file.
public struct Contents {
  public struct Tensor {
    public let name: String
    public let type: ElementType
    /// All records together: the first dimension is the stream's rows. nil for a dimension that varies from record to
    /// record, or that only reading all of it would tell.
    public var shape: [Int?]
  }

  public let name: String
  public let isStream: Bool
  /// The first record's, with what the end record adds.
  public private(set) var metadata: [String: String]
  public private(set) var tensors: [Tensor] = []
  /// Whether there are data records, or all is in the first: weights and checkpoints, plain safetensors.
  public let hasRows: Bool
  /// Data records and their rows.
  public private(set) var records = 0
  public private(set) var rows = 0
  /// Of the file; nil for a pipe.
  public let byteCount: Int?
  /// Of a stream: what `made_from` of anything made from it says.
  public private(set) var digest: String?
  /// What `--check` found; nil without it.
  public internal(set) var finding: String?

  public var kind: String? { Record(metadata: metadata, tensors: []).kindText }

  /// Looks at the first record, the last and one between, where the operand is a file; reads all of a pipe.
  public init(of operand: InspectedFile) throws {
    if let stream = operand.indexed() {
      self = try Contents(operand, indexed: stream)
    } else {
      self = try Contents(operand, reading: AnyInput(path: operand.path))
    }
  }

  /// Reads everything.
  init(_ operand: InspectedFile, reading input: AnyInput) throws {
    switch input {
    case .safetensors(let record):
      self.init(operand, header: record, isStream: false)
    case .stream(let reader):
      self.init(operand, header: reader.header, isStream: true)
      while let record = try reader.next() {
        add(record)
        records += 1
        rows += record.rows
      }
      metadata = reader.header.metadata
      digest = reader.digest
    }
  }

  private init(_ operand: InspectedFile, indexed stream: IndexedStream) throws {
    self.init(operand, header: stream.header, isStream: true)
    records = stream.recordCount
    rows = stream.rows
    digest = stream.digest
    guard records > 0 else { return }
    add(try stream.record(0))
    if records > 1 {
      for i in tensors.indices where !tensors[i].shape.isEmpty {
        tensors[i].shape[0] = tensors[i].shape[0] == stream.rowsPerRecord[0] ? rows : nil
      }
    }
  }

  private init(_ operand: InspectedFile, header: Record, isStream: Bool) {
    name = operand.name
    byteCount = operand.byteCount
    self.isStream = isStream
    metadata = header.metadata
    hasRows = isStream && !header.isLast
    add(header)
  }

  private mutating func add(_ record: Record) {
    for (name, tensor) in record.tensors {
      guard let i = tensors.firstIndex(where: { $0.name == name }) else {
        tensors.append(Tensor(name: name, type: tensor.type, shape: tensor.shape))
        continue
      }
      let old = tensors[i].shape
      guard old.count == tensor.shape.count else {
        tensors[i].shape = [nil]
        continue
      }
      tensors[i].shape = zip(old, tensor.shape).enumerated().map { dimension, pair in
        guard let before = pair.0 else { return nil }
        return dimension == 0 ? before + pair.1 : before == pair.1 ? before : nil
      }
    }
  }
}
