// Text results on standard output. Every error of a write is noticed; Swift's print() ignores a full disk.

import Foundation
import Synchronization
import TensorStream

/// Standard output for text: results as JSON lines, tables, values. (Streams go through `StreamWriter`.)
public enum StandardOutput {
  private static let pending = Mutex<[UInt8]>([])
  private static let capacity = 1 << 16

  /// Adds `text` to what is to be written. Nothing is added to it: end lines with "\n".
  ///
  /// Errors: `Failure(.brokenPipe)` where the reader has gone, `Failure(.io)` where a write fails.
  public static func write(_ text: String) throws {
    try pending.withLock { bytes in
      bytes.append(contentsOf: text.utf8)
      if bytes.count >= capacity { try drain(&bytes) }
    }
  }

  /// Writes what is pending. `Tool.start()` does so at the end; a tool whose lines are read while it runs calls it
  /// after each.
  public static func flush() throws {
    try pending.withLock { try drain(&$0) }
  }

  private static func drain(_ bytes: inout [UInt8]) throws {
    // Emptied whatever happens: after an error, a second attempt would write some bytes twice.
    defer { bytes.removeAll(keepingCapacity: true) }
    let code = bytes.withUnsafeBytes { writeAll(STDOUT_FILENO, $0) }
    if code == EPIPE { throw Failure(.brokenPipe, "standard output: nobody reads it any more") }
    if code != 0 { throw Failure(.io, "standard output: \(errorText(code))") }
  }
}
