// Lines for people, on standard error.

import Foundation
import TensorStream

/// Writes `tool: message` and a line's end to standard error in one write, so that the lines of a pipeline's tools do
/// not mix.
public func log(_ tool: String, _ message: String) {
  writeToStandardError("\(tool): \(message)\n")
}

/// `log`, unless the user chose quiet. For facts that are worth knowing and are no error.
public func note(_ tool: String, _ message: String, quiet: Bool) {
  if !quiet { log(tool, message) }
}

func writeToStandardError(_ text: String) {
  // Where that fails, nowhere is left to say it.
  _ = Array(text.utf8).withUnsafeBytes { writeAll(STDERR_FILENO, $0) }
}
