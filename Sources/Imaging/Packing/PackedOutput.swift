// Where packed pictures go: one stream, or shards whose names are numbered.

import Foundation
import Schemas
import TensorStream

/// One stream, or shards. A stream gets its name when it is whole, so a shard is there whole or not at all. The shards
/// that are there say how far a killed run has come.
public struct PackedOutput: Sendable {
  /// A path; of shards, one with `%d` or `%05d` where the number goes.
  public let pattern: String
  /// Bytes of pictures and labels in a shard, at most, unless one picture has more; nil for one stream.
  public let shardSize: Int?
  private let overwrite: Bool
  private let resumes: Bool
  /// The pattern around the number, and the number's digits.
  private let prefix: String
  private let digits: Int
  private let suffix: String

  /// - Parameter resumes: keeps shards of the same pictures and arguments that are there.
  /// - Throws: `Failure(.usage)` for shards without a pattern.
  public init(_ pattern: String, shardSize: Int?, overwrite: Bool, resumes: Bool) throws {
    self.pattern = pattern
    self.shardSize = shardSize
    self.overwrite = overwrite
    self.resumes = resumes
    guard shardSize != nil else {
      (prefix, digits, suffix) = (pattern, 0, "")
      return
    }
    let places = pattern.matches(of: #/%(?:0([1-9]))?d/#)
    guard places.count == 1, let place = places.first, !pattern.replacing(#/%(?:0([1-9]))?d/#, with: "").contains("%")
    else {
      throw Failure(
        .usage, "--output \(pattern): with --shard-size its name has %05d or %d, once, where a shard's number goes")
    }
    prefix = String(pattern[..<place.range.lowerBound])
    suffix = String(pattern[place.range.upperBound...])
    digits = place.1.flatMap { Int($0) } ?? 1
    guard !suffix.contains("/") else {
      throw Failure(.usage, "--output \(pattern): the number belongs into the file's name, not the folder's")
    }
  }

  /// Throws `Failure(.cannotCreate)` where shards are there that may be neither replaced nor kept.
  public func checkEarly() throws {
    guard shardSize != nil, !overwrite, !resumes else { return }
    if FileManager.default.fileExists(atPath: path(ofShard: 0)) {
      throw Failure(
        .cannotCreate,
        "\(path(ofShard: 0)): exists already: --resume goes on after the shards that are there, --overwrite replaces them"
      )
    }
  }

  func path(ofShard number: Int) -> String {
    guard shardSize != nil else { return pattern }
    let text = String(number)
    return prefix + String(repeating: "0", count: max(0, digits - text.count)) + text + suffix
  }

  func writer(_ shard: Int, metadata: [String: String]) throws -> StreamWriter {
    let path = path(ofShard: shard)
    if resumes { removePartial(path) }
    return try StreamWriter(path: path, kind: StreamKind.images.rawValue, metadata: metadata, overwrite: overwrite)
  }

  /// A shard that is there and may be kept: where it ends among the chosen pictures, and what it holds. nil: it has to
  /// be written.
  /// - Throws: `Failure(.data)` where it is not whole; `.cannotCreate` where it is of other pictures or arguments.
  func keptShard(
    _ shard: Int, metadata: [String: String], from position: Int
  ) throws -> (end: Int, rows: Int, skipped: Int)? {
    let path = path(ofShard: shard)
    guard resumes, FileManager.default.fileExists(atPath: path) else { return nil }
    // A process that was killed right after it had given the shard its name left the temporary one besides.
    removePartial(path)
    let stream = try IndexedStream(path: path, kinds: [StreamKind.images.rawValue])
    let found = stream.header.metadata
    func differs(_ what: String, _ key: String) -> Failure {
      Failure(
        .cannotCreate,
        "\(path): is of another run: its \(what) \(found[key] ?? "not there"), expected \(metadata[key] ?? "none"); --overwrite "
          + "instead of --resume starts from the beginning")
    }
    for (key, what) in [
      (ProvenanceStep.keys[0], "made_by is"), ("entries_digest", "pictures' digest is"), ("classes", "classes are"),
      ("mask_classes", "masks' classes are"),
      (RowNames.sourcesKey, "sources are"),
    ]
    where found[key] != metadata[key] {
      throw differs(what, key)
    }
    let entries = try JSONText.decode([Int].self, from: found["entries"] ?? "", what: "\(path): metadata \"entries\"")
    guard entries.count == 2, entries[0] == position, entries[1] > position else {
      throw Failure(
        .cannotCreate, "\(path): has the pictures \(entries), expected them from \(position) on: a shard of another run"
      )
    }
    return (entries[1], stream.rows, found["skipped_count"].flatMap { Int($0) } ?? 0)
  }

  /// Removes shards of a larger set that was replaced. A reader would take them for shards of this set.
  func removeShards(from first: Int) throws {
    guard shardSize != nil else { return }
    var number = first
    while FileManager.default.fileExists(atPath: path(ofShard: number)) {
      let path = path(ofShard: number)
      guard overwrite else {
        throw Failure(.cannotCreate, "\(path): is there, but this set ends before it: a shard of another run")
      }
      guard unlink(path) == 0 else { throw Failure(.io, "\(path): \(String(cString: strerror(errno)))") }
      number += 1
    }
  }

  /// Removes what a run that was killed has left of this shard.
  private func removePartial(_ path: String) {
    let name = (path as NSString).lastPathComponent
    let folder = parentFolder(of: path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
    for left in names where left.hasPrefix(".\(name).") && left.hasSuffix(".partial") {
      unlink(folder.isEmpty ? left : "\(folder)/\(left)")
    }
  }
}
