import Autodiff
import Foundation
import Networks
import TensorStream

/// A run between two steps, as one record: all weights, the optimiser's moments, and in the metadata the configuration and
/// how many steps were taken.
enum Checkpoint {
  static let first = "optimizer.first_moment."
  static let second = "optimizer.second_moment."

  static func write(
    _ model: PseudoMAE, _ optimizer: AdamW, to path: String, metadata: [String: String]
  ) throws {
    var tensors = storedTensors(model.parts)
    for (entry, group) in zip(model.trained, optimizer.groups) {
      let tensor = entry.parameter.tensor
      for (prefix, values) in [(first, group.first), (second, group.second)] {
        let moment = Tensor(rows: tensor.rows, columns: tensor.columns, values: values)
        tensors.append((prefix + entry.name, StoredTensor(borrowing: moment, shape: entry.parameter.shape)))
      }
    }
    var metadata = metadata
    metadata["config"] = try model.configuration.json()
    metadata["step"] = String(optimizer.steps)
    try StreamWriter.writeOneRecord(
      path: path, kind: "checkpoint", metadata: metadata, tensors: tensors, overwrite: true)
  }

  /// Continues where a checkpoint was written. A checkpoint of another configuration is an error that names each difference.
  static func read(_ path: String, into model: PseudoMAE, _ optimizer: AdamW) throws {
    let record = try readTensors(path: path, kinds: ["checkpoint"])
    guard let config = record.metadata["config"], let text = record.metadata["step"], let steps = Int(text), steps >= 0
    else { throw Failure(.data, "\(path): a checkpoint without its configuration or step") }
    let theirs = try Configuration(json: config, source: path)
    let differences = try model.configuration.differences(from: theirs)
    if !differences.isEmpty {
      throw Failure(
        .data, "\(path): is of another configuration: asked for " + differences.joined(separator: "; "))
    }
    let moments = MomentsNetwork(model, optimizer)
    try load(model.parts + [Part("optimizer.", moments)], from: record, source: path)
    optimizer.steps = steps
  }

  /// The moments as constants under their names, so that they are checked and read like weights.
  private struct MomentsNetwork: Network {
    var parameters: [Parameter] { [] }
    let constants: [Constant]

    init(_ model: PseudoMAE, _ optimizer: AdamW) {
      constants = zip(model.trained, optimizer.groups).flatMap { entry, group in
        [("first_moment.", group.first), ("second_moment.", group.second)].map { prefix, values in
          let tensor = entry.parameter.tensor
          return Constant(
            name: prefix + entry.name, shape: entry.parameter.shape,
            tensor: Tensor(rows: tensor.rows, columns: tensor.columns, values: values))
        }
      }
    }
  }
}
