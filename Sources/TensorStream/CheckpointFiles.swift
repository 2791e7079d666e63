// A run's checkpoints by name: checkpoint.stz is the newest; checkpoint-000123.stz is an older one, after step 123.

import Foundation

extension RunFolder {
  /// The name of a checkpoint that is not the newest.
  public func olderCheckpoint(step: Int) -> String {
    let digits = String(step)
    return path + "/checkpoint-" + String(repeating: "0", count: max(6 - digits.count, 0)) + digits + ".stz"
  }

  /// Checkpoints beside the newest, from the last step down.
  public var olderCheckpoints: [(step: Int, path: String)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("checkpoint-"), name.hasSuffix(".stz"), let step = Int(name.dropFirst(11).dropLast(4)),
        step >= 0, olderCheckpoint(step: step).hasSuffix("/" + name)
      else { return nil }
      return (step: step, path: "\(path)/\(name)")
    }
    .sorted { $0.step > $1.step }
  }

  public var hasCheckpoint: Bool {
    FileManager.default.fileExists(atPath: checkpoint) || !olderCheckpoints.isEmpty
  }

  /// Reads the newest checkpoint that is whole; nil where there is none at all.
  /// - Parameter onDamage: told of each newer one that is not.
  /// - Throws: `Failure(.data)` where there are checkpoints and not one of them is whole: to begin again must be asked for.
  public func newestCheckpoint(onDamage: (String) -> Void) throws -> CheckpointFile? {
    var first: Failure?
    for path in [checkpoint] + olderCheckpoints.map(\.path) where FileManager.default.fileExists(atPath: path) {
      do {
        let record = try readTensors(path: path, kinds: ["checkpoint"])
        guard record.metadata["config"] != nil, let text = record.metadata["step"], let steps = Int(text), steps >= 0
        else { throw Failure(.data, "\(path): a checkpoint without its configuration or step") }
        if let first { onDamage("\(first.message): the run goes on from \(path), after step \(grouped(steps))") }
        return CheckpointFile(path: path, record: record, steps: steps)
      } catch let failure as Failure where failure.kind == .data {
        first = first ?? failure
      }
    }
    if let first { throw Failure(.data, "\(first.message); and there is no older checkpoint that is whole") }
    return nil
  }
}

/// A checkpoint that was read.
public struct CheckpointFile {
  public let path: String
  public let record: Record
  /// Steps taken.
  public let steps: Int
  /// The run's configuration, as JSON.
  public var configuration: String { record.metadata["config"] ?? "" }
  /// Where it was, without what it holds.
  public var place: Place { Place(path: path, steps: steps) }

  public struct Place: Sendable {
    public let path: String
    public let steps: Int
  }
}
