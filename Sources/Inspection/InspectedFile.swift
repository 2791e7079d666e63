// What a command-line operand names: a file, which can be read from any place, or a pipe, which can't.

import Foundation
import TensorStream

/// A file from a command line, before it is known what it is.
public struct InspectedFile {
  /// As it is on the command line; "-" is standard input.
  public let path: String
  /// What messages call it.
  public let name: String
  /// The size of a regular file; nil for a pipe or a device.
  public let byteCount: Int?

  public init(_ path: String) {
    self.path = path
    name = inputName(path)
    var status = stat()
    let isThere = (path == "-" ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0
    byteCount = isThere && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
  }

  /// The stream, for access in any order; nil for a pipe, a safetensors file, or a stream that is not whole.
  /// (`AnyInput` says what is wrong with it.)
  func indexed() -> IndexedStream? {
    byteCount == nil ? nil : try? IndexedStream(path: path)
  }
}
