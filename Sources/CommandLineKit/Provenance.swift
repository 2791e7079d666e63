// Where a stream comes from: which tool made it, with which arguments, from which inputs, and they from which.

import Foundation
import TensorStream

/// The metadata keys `made_by` and `made_from`, which every stream's first record carries.
public enum Provenance {
  /// `made_by` (this process's tool, version and arguments) and `made_from` (name, digest and kind of each input, with
  /// the input's own `made_by` and `made_from` inside), each as JSON.
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
      entry["kind"] = input.header.metadata["kind"]
      entry["made_by"] = input.header.metadata["made_by"].map(structure)
      entry["made_from"] = input.header.metadata["made_from"].map(structure)
      return entry
    }
    return ["made_by": text(madeBy), "made_from": text(madeFrom)]
  }

  /// Provenance of something that was begun by one process and is gone on with by another: made from what it was made from
  /// so far, and from those of the new inputs that were made in another way or of something else.
  public static func continued(_ new: [String: String], from old: [String: String]) -> [String: String] {
    guard let text = old["made_from"], var inputs = structure(text) as? [[String: Any]],
      let more = structure(new["made_from"] ?? "[]") as? [[String: Any]]
    else { return new }
    func history(_ input: [String: Any]) -> String {
      Self.text(["name", "kind", "made_by", "made_from"].map { input[$0] ?? "" })
    }
    for input in more where !inputs.contains(where: { history($0) == history(input) }) { inputs.append(input) }
    return new.merging(["made_from": Self.text(inputs)]) { $1 }
  }

  /// The JSON value in a metadata string; text that is not JSON stays as it is, since it is history and not ours to
  /// lose.
  private static func structure(_ text: String) -> Any {
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
