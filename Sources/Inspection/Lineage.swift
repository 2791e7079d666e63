// --lineage: the whole chain that a file carries in made_by and made_from.

import CommandLineKit
import Foundation
import Schemas
import TensorStream

extension ProvenanceStep {
  /// The command line, or what else is said about the making.
  var command: String {
    guard let tool else { return madeBy.map(oneLine) ?? "nothing is said of how it was made" }
    return commandLine([tool] + arguments.map { $0 as? String ?? oneLine($0) }) + (version.map { " (\($0))" } ?? "")
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
      + changes.map { indent + "  changed on reading: " + shortened(printable($0), to: 1000) }
      + inputs.flatMap { $0.lines(depth: depth + 1) }
  }
}

/// `--lineage`.
public func lineageText(_ contents: Contents) -> String {
  guard var step = ProvenanceStep(metadata: contents.metadata) else {
    return printable(contents.name) + ": carries no made_by: nothing is known of where it came from\n"
  }
  step.name = contents.name
  step.digest = contents.digest
  return step.lines(depth: 0).joined(separator: "\n") + "\n"
}
