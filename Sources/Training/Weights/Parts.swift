import Autodiff
import Networks
import TensorStream

/// A network under the prefix that its weights have in a file, as in `student.`.
public struct Part {
  public let prefix: String
  public let network: any Network

  public init(_ prefix: String, _ network: any Network) {
    self.prefix = prefix
    self.network = network
  }

  /// Everything that a state dictionary names, with where it lies in memory.
  var entries: [(name: String, shape: [Int], tensor: Tensor)] {
    network.parameters.map { (prefix + $0.name, $0.shape, $0.tensor) }
      + network.constants.map { (prefix + $0.name, $0.shape, $0.tensor) }
  }
}

/// All weights of some parts for a writer, in memory that they share with the networks. Write them before training goes
/// on.
public func storedTensors(_ parts: [Part]) -> [NamedTensor] {
  parts.flatMap { part in
    part.entries.map { (name: $0.name, tensor: StoredTensor(borrowing: $0.tensor, shape: $0.shape)) }
  }
}

extension StoredTensor {
  /// The values of a tensor, without a copy.
  public init(borrowing tensor: Tensor, shape: [Int]) {
    // The bytes leave the function that lends them together with their owner.
    self.init(
      type: .f32, shape: shape, bytes: tensor.withValues { UnsafeRawBufferPointer($0) }, owner: tensor.values)
  }
}

/// Sets all weights of some parts from a file, or none of them. One `Failure(.data)` names the tensors that are
/// missing, not expected, of another shape or type, or not finite.
/// - Parameters:
///   - source: the file's name, for the message.
///   - ignored: names that may be there besides, such as an optimiser's.
public func load(
  _ parts: [Part], from record: Record, source: String, ignored: (String) -> Bool = { _ in false }
) throws {
  let entries = parts.flatMap(\.entries)
  var stored: [String: StoredTensor] = [:]
  for (name, tensor) in record.tensors { stored[name] = tensor }
  var problems: [String] = []
  let missing = entries.filter { stored[$0.name] == nil }.map(\.name)
  if !missing.isEmpty { problems.append("missing: " + firstOf(missing, separator: ", ")) }
  let expected = Set(entries.map(\.name))
  let extra = record.tensors.map(\.name).filter { !expected.contains($0) && !ignored($0) }
  if !extra.isEmpty { problems.append("not expected: " + firstOf(extra, separator: ", ")) }
  var misfits: [String] = []
  var broken: [String] = []
  for entry in entries {
    guard let tensor = stored[entry.name] else { continue }
    if tensor.type != .f32 || tensor.shape != entry.shape {
      misfits.append(
        "\(entry.name) is \(tensor.type.rawValue) \(tensor.shape), expected F32 \(entry.shape)")
      continue
    }
    try tensor.withValues(of: Float.self) { values in
      if let bad = values.firstIndex(where: { !$0.isFinite }) {
        broken.append("\(entry.name) holds \(values[bad]) at \(bad)")
      }
    }
  }
  if !misfits.isEmpty { problems.append("shapes: " + firstOf(misfits, separator: "; ")) }
  if !broken.isEmpty { problems.append("not finite: " + firstOf(broken, separator: "; ")) }
  if !problems.isEmpty {
    throw Failure(.data, "\(source): the weights do not fit the model: " + problems.joined(separator: "; "))
  }
  for entry in entries {
    try stored[entry.name]?.withValues(of: Float.self) { values in
      entry.tensor.withValues { _ = $0.update(fromContentsOf: values) }
    }
  }
}

/// A list for a message, which says of a long one how many more there are.
private func firstOf(_ items: [String], separator: String) -> String {
  let most = 12
  let more = items.count - most
  return items.prefix(most).joined(separator: separator) + (more > 0 ? " and \(more) more" : "")
}
