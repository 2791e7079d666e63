// A run's checkpoints by name: checkpoint.stz is the newest; checkpoint-000123.stz is an older one, after step 123.

import Foundation
import Schemas
import TensorStream

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
  /// - Throws: `Failure(.data)` where there are checkpoints and none is whole: the user must say to begin again.
  public func newestCheckpoint(onDamage: (String) -> Void) throws -> CheckpointFile? {
    var first: Failure?
    for path in [checkpoint] + olderCheckpoints.map(\.path) where FileManager.default.fileExists(atPath: path) {
      do {
        let file = try CheckpointFile(file: path)
        if let first { onDamage("\(first.message): \(path), after step \(grouped(file.steps)), takes its place") }
        return file
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
  public let header: CheckpointHeader
  /// Tells the file from others, for provenance; empty for a plain .safetensors file.
  public let digest: String

  /// Steps taken.
  public var steps: Int { header.step }
  /// What a person should know where its run goes on with batches in so many shards; nil where they are as many as before.
  public func shardsNote(_ shards: Int, of folder: RunFolder) -> String? {
    let before = header.shards
    if before == shards { return nil }
    return
      "\(folder.path): its batches were computed in \(counted(before, "shard")), and are from here on in \(shards): "
      + "sums are rounded otherwise (--deterministic-ranks \(before) keeps them)"
  }

  /// Where it was, without what it holds.
  public var place: Place { Place(path: path, steps: steps) }

  public struct Place: Sendable {
    public let path: String
    public let steps: Int
  }

  /// The checkpoint that a path names, for every tool that reads one. A run folder means its newest checkpoint that is
  /// whole; any other path means the file itself.
  /// - Parameter onDamage: told of each newer one that is not whole.
  /// - Throws: `Failure(.noInput)` where there is none, `.data` where the file is no checkpoint or is damaged.
  public static func at(_ path: String, onDamage: (String) -> Void) throws -> CheckpointFile {
    guard isFolder(path) else { return try CheckpointFile(file: path) }
    let folder = RunFolder(path)
    guard let file = try folder.newestCheckpoint(onDamage: onDamage) else {
      throw Failure(.noInput, "\(path): a run without a checkpoint: there is no \(folder.checkpoint) yet")
    }
    return file
  }

  /// A checkpoint that is in memory.
  /// - Parameter path: for messages.
  public init(_ record: Record, path: String, digest: String = "") throws {
    (self.record, self.path, self.digest) = (record, path, digest)
    header = try CheckpointHeader(record, source: path)
  }

  fileprivate init(file path: String) throws {
    switch try AnyInput(path: path) {
    case .safetensors(let record): try self.init(record, path: inputName(path))
    case .stream(let reader):
      if reader.kind == StreamKind.weights.rawValue {
        throw Failure(
          .data,
          "\(reader.name): holds weights, expected a checkpoint: they were taken out of a run, or of another program's model; name the run's folder"
        )
      }
      guard reader.kind == StreamKind.checkpoint.rawValue else {
        throw Failure(.data, "\(reader.name): holds \(reader.kind), expected a checkpoint")
      }
      guard try reader.next() == nil else {
        throw Failure(.data, "\(reader.name): a checkpoint in several records, expected a file of one record")
      }
      try self.init(reader.header, path: reader.name, digest: reader.digest)
    }
  }
}
