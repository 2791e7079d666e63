// Lines for people, on standard error.

import Foundation

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
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let n = bytes.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if n >= 0 {
      bytes = bytes.dropFirst(n)
    } else if errno != EINTR {
      return  // Nowhere is left to say it.
    }
  }
}
