// A command with a terminal for its input and its output.

import Foundation

/// `script`, which gives a command a pseudo-terminal. It needs /dev/pts, which not every container has.
enum Terminal {
  /// Why tests are skipped where `isAvailable` is false.
  static let reason = "script(1) gives no command a terminal here: it is not installed, or /dev/pts is not mounted"

  static let isAvailable: Bool = {
    guard let result = try? run("test -t 0 && test -t 1 && echo yes", in: "/") else { return false }
    return result.status == 0 && result.text.hasPrefix("yes")
  }()

  /// Runs a shell command on a terminal. What it writes, errors too, is the result's text.
  static func run(_ command: String, in folder: String) throws -> ToolResult {
    try ToolRunner.run("/usr/bin/script", ["-qec", command, "/dev/null"], in: folder)
  }
}
