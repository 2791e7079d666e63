// --lineage: the whole chain that a file carries in made_by and made_from.

import CommandLineKit
import Foundation
import TensorStream

/// One file of the chain: how it was made, and from which others.
struct ProvenanceStep {
  var name: String?
  var kind: String?
  var digest: String?
  /// The command line, or what else is said about the making.
  let command: String
  let inputs: [ProvenanceStep]

  /// nil where the metadata says nothing of how it was made.
  init?(metadata: [String: String]) {
    guard let madeBy = metadata["made_by"] else { return nil }
    self.init(
      name: nil, kind: metadata["kind"], digest: nil, madeBy: parsed(madeBy) ?? madeBy,
      madeFrom: metadata["made_from"].map { parsed($0) ?? $0 })
  }

  private init(name: String?, kind: String?, digest: String?, madeBy: Any?, madeFrom: Any?) {
    self.name = name
    self.kind = kind
    self.digest = digest
    if let by = madeBy as? [String: Any], let tool = by["tool"] as? String {
      let arguments = (by["arguments"] as? [Any] ?? []).map { $0 as? String ?? oneLine($0) }
      let version = (by["version"] as? String).map { " (\($0))" } ?? ""
      command = commandLine([tool] + arguments) + version
    } else {
      command = madeBy.map(oneLine) ?? "nothing is said of how it was made"
    }
    inputs = (madeFrom as? [Any] ?? []).compactMap { entry in
      guard let entry = entry as? [String: Any] else { return nil }
      return ProvenanceStep(
        name: entry["name"] as? String, kind: entry["kind"] as? String, digest: entry["digest"] as? String,
        madeBy: entry["made_by"], madeFrom: entry["made_from"])
    }
  }

  /// "images.stz (images, digest 0123456789ab…)"
  var title: String {
    let details = [kind, digest.map { "digest \(shortened($0, to: 32))" }].compactMap { $0 }
    return (name ?? "?") + (details.isEmpty ? "" : " (\(details.joined(separator: ", ")))")
  }

  /// The step and all before it, each indented below what was made from it.
  func lines(depth: Int) -> [String] {
    let indent = String(repeating: "  ", count: depth)
    return [indent + printable(title), indent + "  made by " + shortened(printable(command), to: 1000)]
      + inputs.flatMap { $0.lines(depth: depth + 1) }
  }
}

func lineageText(_ contents: Contents) -> String {
  guard var step = ProvenanceStep(metadata: contents.metadata) else {
    return printable(contents.name) + ": carries no made_by: nothing is known of where it came from\n"
  }
  step.name = contents.name
  step.digest = contents.digest
  return step.lines(depth: 0).joined(separator: "\n") + "\n"
}
