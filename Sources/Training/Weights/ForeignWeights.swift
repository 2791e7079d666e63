import Foundation
import Networks
import Schemas
import TensorStream

/// Weights of another program as this one has them: float32 under timm's names, queries, keys and values in one tensor.
struct ForeignWeights {
  private(set) var record: Record
  let encoder: EncoderConfiguration
  /// What stands beside the encoder in the file, in words.
  let leftOut: [String]

  /// - Parameter heads: attention heads; nil where neither the command line nor a file beside the weights says.
  /// - Throws: `Failure(.data)` where it is no encoder that can be had here, with what it has that there is none of;
  ///   `.usage` where heads are not known.
  init(_ record: Record, beside companion: CompanionFiles?, heads: Int?, source: String) throws {
    let names = try ForeignNames(record, source: source)
    var taken: [NamedTensor] = []
    var leftOut: [String] = []
    var refused: [(what: String, name: String)] = []
    var unknown: [String] = []
    for (name, tensor) in record.tensors {
      switch names.use(of: name) {
      case .taken(let ours):
        guard let values = tensor.float32() else {
          throw Failure(.data, "\(source): \(name) is \(tensor.type.rawValue), expected F32, F16, BF16 or F64")
        }
        taken.append((ours, values))
      case .leftOut: leftOut.append(name)
      case .refused(let what): refused.append((what, name))
      case .unknown: unknown.append(name)
      }
    }
    if !refused.isEmpty {
      let kinds = Set(refused.map(\.what)).sorted().map { kind in
        let names = refused.filter { $0.what == kind }.map(\.name)
        return "\(kind) (\(names[0])\(names.count == 1 ? "" : " and \(names.count - 1) more"))"
      }
      throw Failure(.data, "\(source): an encoder with what there is none of here: " + kinds.joined(separator: ", "))
    }
    if !unknown.isEmpty {
      throw Failure(.data, "\(source): tensors that no known encoder has: " + unknown.joined(separator: ", "))
    }
    var joined = Record(metadata: record.metadata, tensors: try Self.joined(taken, source: source))
    guard joined["cls_token"] != nil else {
      throw Failure(
        .data, "\(source): an encoder without a class token (\(names.root)cls_token): there is none of that here")
    }
    try Self.completePositions(&joined, source: source)
    // A head on something else than one token, as on a class token beside a mean.
    if let head = joined["head.weight"], head.shape.count == 2, let width = joined["cls_token"]?.shape.last,
      head.shape[1] != width
    {
      joined.tensors.removeAll { $0.name == "head.weight" || $0.name == "head.bias" }
      leftOut += ["head.weight", "head.bias"]
    }
    if let heads, let theirs = companion?.heads, heads != theirs {
      throw Failure(.usage, "\(source): a file beside it says \(theirs) heads, but --heads says \(heads)")
    }
    var encoder = try EncoderConfiguration(inferredFrom: joined, heads: heads ?? companion?.heads, source: source)
    encoder.normEpsilon = companion?.normEpsilon ?? (names.isHuggingFace ? 1e-12 : 1e-6)
    try companion?.check(encoder, source: source)
    self.record = joined
    self.encoder = encoder
    self.leftOut = Self.grouped(leftOut)
  }

  /// Queries, keys and values one after the other in one tensor, and biases of zero where there are none (BEiT's keys).
  private static func joined(_ tensors: [NamedTensor], source: String) throws -> [NamedTensor] {
    var apart: [String: [String: StoredTensor]] = [:]
    var result: [NamedTensor] = []
    for (name, tensor) in tensors {
      let parts = name.split(separator: ".").map(String.init)
      if parts.count == 5, parts[2] == "attn", ["q", "k", "v"].contains(parts[3]) {
        apart[parts[0...2].joined(separator: "."), default: [:]][parts[3] + "." + parts[4]] = tensor
      } else {
        result.append((name, tensor))
      }
    }
    let whole = Set(result.map(\.name))
    let weights = result.filter { $0.name.hasSuffix(".attn.qkv.weight") }.map {
      String($0.name.dropLast(".qkv.weight".count))
    }
    for block in Set(apart.keys).union(weights).sorted() {
      let own = apart[block] ?? [:]
      if !whole.contains(block + ".qkv.weight") {
        let parts = try ["q", "k", "v"].map { part in
          guard let tensor = own[part + ".weight"], tensor.shape.count == 2 else {
            throw Failure(.data, "\(source): \(block) has no matrix of its \(part): expected queries, keys and values")
          }
          return tensor
        }
        result.append((block + ".qkv.weight", try stacked(parts, named: block + ".qkv.weight", source: source)))
      }
      if !whole.contains(block + ".qkv.bias") {
        guard let rows = result.last(where: { $0.name == block + ".qkv.weight" })?.tensor.shape.first, rows % 3 == 0
        else {
          continue  // Its shape is named when it is loaded.
        }
        let parts = ["q", "k", "v"].map {
          own[$0 + ".bias"] ?? StoredTensor([Float](repeating: 0, count: rows / 3), shape: [rows / 3])
        }
        result.append((block + ".qkv.bias", try stacked(parts, named: block + ".qkv.bias", source: source)))
      }
    }
    return result
  }

  private static func stacked(_ parts: [StoredTensor], named name: String, source: String) throws -> StoredTensor {
    guard let shape = parts.first?.shape, parts.allSatisfy({ $0.shape == shape }), let rows = shape.first else {
      throw Failure(.data, "\(source): the parts of \(name) are \(parts.map(\.shape)): expected three of one shape")
    }
    return StoredTensor(
      try parts.flatMap { try $0.values(of: Float.self) }, shape: [rows * parts.count] + shape.dropFirst())
  }

  /// Positions of patches alone get a row of zeros for the class token (timm's `no_embed_class`).
  private static func completePositions(_ record: inout Record, source: String) throws {
    guard let place = record.tensors.firstIndex(where: { $0.name == "pos_embed" }) else { return }
    let tensor = record.tensors[place].tensor
    guard tensor.shape.count == 3, tensor.shape[0] == 1, tensor.shape[1] >= 1 else { return }
    let side = Int(Double(tensor.shape[1]).squareRoot().rounded())
    guard side * side == tensor.shape[1] else { return }
    let width = tensor.shape[2]
    record.tensors[place].tensor = StoredTensor(
      [Float](repeating: 0, count: width) + (try tensor.values(of: Float.self)), shape: [1, side * side + 1, width])
  }

  /// Names by their layers, or by what comes before their first number: "decoder_blocks (96 tensors)".
  private static func grouped(_ names: [String]) -> [String] {
    var counts: [(name: String, count: Int)] = []
    for name in names {
      let parts = name.split(separator: ".")
      let head = parts.prefix { Int($0) == nil }
      let isLayer = head.count == parts.count && (parts.last?.hasPrefix("weight") == true || parts.last == "bias")
      let group = (isLayer ? head.dropLast() : head).joined(separator: ".")
      if let place = counts.firstIndex(where: { $0.name == group }) {
        counts[place].count += 1
      } else {
        counts.append((group, 1))
      }
    }
    return counts.map { $0.count == 1 ? $0.name : "\($0.name) (\($0.count) tensors)" }
  }
}
