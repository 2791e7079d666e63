// A log for other programs, written while a tool runs: metrics as JSON lines.

import Foundation
import TensorStream

/// A file of lines, each there as soon as it is written.
public final class LineFile {
  private let path: String
  private var descriptor: Int32

  /// - Throws: `Failure(.cannotCreate)` where it exists and may not be replaced, or cannot be made.
  public init(path: String, overwrite: Bool) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (overwrite ? O_TRUNC : O_EXCL), 0o666)
    if descriptor < 0 {
      if errno != EEXIST { throw creationFailure(path, errno) }
      throw Failure(.cannotCreate, "\(path): exists already: --overwrite replaces it")
    }
  }

  /// Goes on after what a file holds.
  /// - Throws: `Failure(.cannotCreate)` where it is not there or cannot be written.
  public init(appendingTo path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    if descriptor < 0 { throw creationFailure(path, errno) }
  }

  deinit { if descriptor >= 0 { _ = Foundation.close(descriptor) } }

  /// Writes a line and its end.
  /// - Throws: `Failure(.io)` where that fails, on a full disk for example.
  public func write(_ line: String) throws { try write(bytes: Array((line + "\n").utf8)) }

  /// Writes bytes as they are, for a log that is not text.
  /// - Throws: `Failure(.io)` where that fails.
  public func write(bytes: [UInt8]) throws {
    let code = bytes.withUnsafeBytes { writeAll(descriptor, $0) }
    if code != 0 { throw Failure(.io, "\(path): cannot write: \(errorText(code))") }
  }

  /// Brings all lines to disk.
  /// - Throws: `Failure(.io)` where the disk does not take them.
  public func sync() throws {
    guard retrying(descriptor, waitingFor: 0, { Int(fsync(descriptor)) }) == 0 else {
      throw Failure(.io, "\(path): cannot write: \(errorText(errno))")
    }
  }

  /// - Throws: `Failure(.io)` where the system has not been able to write what it took.
  public func close() throws {
    defer { descriptor = -1 }
    if Foundation.close(descriptor) != 0 {
      throw Failure(.io, "\(path): cannot write: \(errorText(errno))")
    }
  }
}
