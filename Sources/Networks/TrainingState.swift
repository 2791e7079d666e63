import Autodiff
import Foundation
import TensorStream

/// What a run needs to go on from between two steps: all weights, and the optimiser's moments under the names of their
/// parameters. How many steps were taken goes with it as metadata.
public struct TrainingState {
  private let parts: [Part]
  private let optimizer: AdamW
  private let names: [String]

  /// - Parameter names: of what the optimiser trains, in its order.
  public init(parts: [Part], optimizer: AdamW, names: [String]) {
    self.parts = parts
    self.optimizer = optimizer
    self.names = names
  }

  /// Everything for a writer, in memory that it shares with the networks.
  public var tensors: [NamedTensor] { storedTensors(parts + [moments]) }

  /// Sets everything from a checkpoint, or nothing: `Failure(.data)` names each tensor that is missing or does not fit.
  public func load(from checkpoint: CheckpointFile) throws {
    try Networks.load(parts + [moments], from: checkpoint.record, source: checkpoint.path)
    optimizer.steps = checkpoint.steps
  }

  private var moments: Part { Part("optimizer.", Moments(names: names, groups: optimizer.groups)) }

  /// The moments as constants under their names, so that they are checked and read like weights.
  private struct Moments: Network {
    var parameters: [Parameter] { [] }
    let constants: [Constant]

    init(names: [String], groups: [AdamW.Group]) {
      constants = zip(names, groups).flatMap { name, group in
        [("first_moment.", group.first), ("second_moment.", group.second)].map { prefix, values in
          let tensor = group.parameter.tensor
          return Constant(
            name: prefix + name, shape: group.parameter.shape,
            tensor: Tensor(rows: tensor.rows, columns: tensor.columns, values: values))
        }
      }
    }
  }
}

/// What a trainer asks between steps.
public struct TrainingSignals {
  /// Whether to stop after this step, with a checkpoint.
  public var stopRequested: () -> Bool
  /// Whether a checkpoint was asked for since this was asked last.
  public var checkpointRequested: () -> Bool

  public init(
    stopRequested: @escaping () -> Bool = { false }, checkpointRequested: @escaping () -> Bool = { false }
  ) {
    self.stopRequested = stopRequested
    self.checkpointRequested = checkpointRequested
  }
}

/// What differs between two configurations in JSON, by the first's: `batch 32, not 64`.
public func differences(of mine: String, from theirs: String, source: String) throws -> [String] {
  func flat(_ value: Any, _ path: String) -> [String: String] {
    guard let object = value as? [String: Any] else { return [path: "\(value)"] }
    return object.reduce(into: [:]) { all, entry in
      all.merge(flat(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)")) { $1 }
    }
  }
  func flat(_ text: String) throws -> [String: String] {
    guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else {
      throw Failure(.data, "\(source): its configuration is not JSON")
    }
    return flat(value, "")
  }
  let (mine, theirs) = (try flat(mine), try flat(theirs))
  return mine.keys.sorted().filter { mine[$0] != theirs[$0] }.map {
    "\($0) \(mine[$0] ?? "none"), not \(theirs[$0] ?? "none")"
  }
}
