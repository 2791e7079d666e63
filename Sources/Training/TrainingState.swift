import Autodiff
import Foundation
import Networks
import Runs
import Schemas
import TensorStream

/// What a run needs to go on between two steps: all weights, and the optimiser's moments under the names of their
/// parameters. The number of steps is in the metadata.
public struct TrainingState {
  private let parts: [Part]
  private let optimizer: any Optimizer

  public init(parts: [Part], optimizer: any Optimizer) {
    self.parts = parts
    self.optimizer = optimizer
  }

  public var steps: Int { optimizer.steps }

  /// Everything for a writer, in memory that it shares with the networks. All ranks ask for it at once.
  public var tensors: [NamedTensor] { storedTensors(parts + [moments]) }

  /// What the names of the optimiser's tensors begin with.
  public static let optimizerPrefix = "optimizer."

  /// Sets everything from a checkpoint, or nothing: `Failure(.data)` names each tensor that is missing or does not fit.
  public func load(from checkpoint: CheckpointFile) throws {
    let moments = optimizer.moments
    try Training.load(
      parts + [Part(Self.optimizerPrefix, Moments(constants: moments))], from: checkpoint.record,
      source: checkpoint.path)
    optimizer.take(moments)
    optimizer.steps = checkpoint.steps
  }

  private var moments: Part { Part(Self.optimizerPrefix, Moments(constants: optimizer.moments)) }

  private struct Moments: Network {
    var parameters: [Parameter] { [] }
    let constants: [Constant]
  }
}

extension CheckpointFile {
  /// Throws `Failure(.data)` that names each difference where the configuration or the views are not those of this
  /// checkpoint.
  /// - Parameters:
  ///   - configuration: that of the run that goes on, as JSON.
  ///   - kept: the checkpoint's own configuration, as this version of the program writes it.
  ///   - views: what the views say of themselves.
  public func require(configuration: String, kept: String, views: [String: String]) throws {
    let problems =
      try differences(of: configuration, from: kept, source: path) + header.differences(from: views)
    if !problems.isEmpty {
      throw Failure(.data, "\(path): is of another configuration: this command has " + problems.joined(separator: "; "))
    }
  }
}

/// What differs between two configurations in JSON, by the first's keys: `batch 32, not 64`.
public func differences(of mine: String, from theirs: String, source: String) throws -> [String] {
  let (mine, theirs) = (try flattened(mine, source: source), try flattened(theirs, source: source))
  return mine.keys.sorted().filter { $0 != "version" && mine[$0] != theirs[$0] }.map {
    "\($0) \(mine[$0] ?? "none"), not \(theirs[$0] ?? "none")"
  }
}

/// The values of a configuration in JSON, each by its keys with points between them.
public func flattened(_ json: String, source: String) throws -> [String: String] {
  func flat(_ value: Any, _ path: String) -> [String: String] {
    guard let object = value as? [String: Any] else { return [path: "\(value)"] }
    return object.reduce(into: [:]) { all, entry in
      all.merge(flat(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)")) { $1 }
    }
  }
  guard let value = try? JSONSerialization.jsonObject(with: Data(json.utf8)) else {
    throw Failure(.data, "\(source): its configuration is not JSON")
  }
  return flat(value, "")
}
