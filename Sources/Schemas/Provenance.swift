// Where a stream comes from: which tool made it, with which arguments, from which inputs, and they from which.

import Foundation
import TensorStream

/// The metadata keys `made_by` and `made_from`, which every stream's first record carries.
public enum Provenance {
  /// `made_by` (this process's tool, version and arguments) and `made_from` (name, digest and kind of each input, with
  /// the input's own `made_by` and `made_from` inside, and `changes`, what was changed in it on reading), each as JSON.
  ///
  /// An input's `digest` covers its last record once that was read, so call this after reading where that is possible.
  public static func metadata(
    tool: String, inputs: [(name: String, header: Record, digest: String)]
  ) -> [String: String] {
    metadata(tool: tool, arguments: Array(CommandLine.arguments.dropFirst()), inputs: inputs)
  }

  /// The same, with arguments that are given.
  public static func metadata(
    tool: String, arguments: [String], inputs: [(name: String, header: Record, digest: String)]
  ) -> [String: String] {
    let madeBy: [String: Any] = ["tool": tool, "version": pmaeVersion, "arguments": arguments]
    let madeFrom = inputs.map { input -> [String: Any] in
      var entry: [String: Any] = ["name": input.name, "digest": input.digest]
      entry["kind"] = input.header.kindText
      entry[MetadataKey.madeBy] = input.header.metadata[MetadataKey.madeBy].map(structure)
      entry[MetadataKey.madeFrom] = input.header.metadata[MetadataKey.madeFrom].map(structure)
      entry[MetadataKey.changes] = input.header.metadata[MetadataKey.changes].map(structure)
      return entry
    }
    return [MetadataKey.madeBy: text(madeBy), MetadataKey.madeFrom: text(madeFrom)]
  }

  /// The provenance of work that one process began and another goes on with. It has the inputs so far, and those new
  /// inputs that were made in another way or from something else.
  public static func continued(_ new: [String: String], from old: [String: String]) -> [String: String] {
    guard let text = old[MetadataKey.madeFrom], var inputs = structure(text) as? [[String: Any]],
      let more = structure(new[MetadataKey.madeFrom] ?? "[]") as? [[String: Any]]
    else { return new }
    func history(_ input: [String: Any]) -> String {
      Self.text(
        ["name", "kind", MetadataKey.madeBy, MetadataKey.madeFrom, MetadataKey.changes].map { input[$0] ?? "" })
    }
    for input in more where !inputs.contains(where: { history($0) == history(input) }) { inputs.append(input) }
    return new.merging([MetadataKey.madeFrom: Self.text(inputs)]) { $1 }
  }

  /// The JSON value in a metadata string; text that is not JSON stays as it is, since it is history and not ours to
  /// lose.
  static func structure(_ text: String) -> Any {
    (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])) ?? text
  }

  private static func text(_ value: Any) -> String {
    // Strings, dictionaries and lists of them: there is nothing in here that JSON cannot hold.
    guard
      let data = try? JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return "null" }
    return String(decoding: data, as: UTF8.self)
  }
}

/// One file of a line of descent: how it was made, and from which others.
public struct ProvenanceStep {
  public var name: String?
  public var kind: String?
  public var digest: String?
  /// The program that made it; nil where `made_by` says something else.
  public let tool: String?
  public let version: String?
  public let arguments: [Any]
  /// `made_by` as it is: a JSON value, or text that is none; nil where nothing is said.
  public let madeBy: Any?
  public let inputs: [ProvenanceStep]
  /// What was changed in it by the step that read it.
  public let changes: [String]

  /// nil where the metadata say nothing of how it was made.
  public init?(metadata: [String: String]) {
    guard let madeBy = metadata[MetadataKey.madeBy] else { return nil }
    self.init(
      name: nil, kind: metadata[MetadataKey.kind], digest: nil, madeBy: Provenance.structure(madeBy),
      madeFrom: metadata[MetadataKey.madeFrom].map(Provenance.structure), changes: nil)
  }

  private init(name: String?, kind: String?, digest: String?, madeBy: Any?, madeFrom: Any?, changes: Any?) {
    (self.name, self.kind, self.digest, self.madeBy) = (name, kind, digest, madeBy)
    self.changes = changes as? [String] ?? []
    let by = madeBy as? [String: Any]
    tool = by?["tool"] as? String
    version = by?["version"] as? String
    arguments = by?["arguments"] as? [Any] ?? []
    inputs = (madeFrom as? [Any] ?? []).compactMap { entry in
      guard let entry = entry as? [String: Any] else { return nil }
      return ProvenanceStep(
        name: entry["name"] as? String, kind: entry[MetadataKey.kind] as? String, digest: entry["digest"] as? String,
        madeBy: entry[MetadataKey.madeBy], madeFrom: entry[MetadataKey.madeFrom],
        changes: entry[MetadataKey.changes])
    }
  }

  /// `made_by` and `made_from` of some metadata as JSON values, for a program that prints JSON.
  public static func values(of metadata: [String: String]) -> (madeBy: Any?, madeFrom: Any?) {
    (metadata[MetadataKey.madeBy].map(Provenance.structure), metadata[MetadataKey.madeFrom].map(Provenance.structure))
  }

  /// Keys that say how something was made, and not what it is.
  public static let keys = [MetadataKey.madeBy, MetadataKey.madeFrom]
}
