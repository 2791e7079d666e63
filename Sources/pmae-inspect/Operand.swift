// What a command-line operand names: a file, which can be read from any place, or a pipe, which can't.

import Foundation
import TensorStream

struct Operand {
  /// As it is on the command line; "-" is standard input.
  let path: String
  /// What messages call it.
  let name: String
  /// The size of a regular file; nil for a pipe or a device.
  let byteCount: Int?

  init(_ path: String) {
    self.path = path
    name = inputName(path)
    var status = stat()
    let isThere = (path == "-" ? fstat(STDIN_FILENO, &status) : stat(path, &status)) == 0
    byteCount = isThere && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
  }

  /// The stream, for access in any order; nil for a pipe, a safetensors file, or a stream that is not whole. (What is
  /// wrong with it `AnyInput` will say.)
  func indexed() -> IndexedStream? {
    byteCount == nil ? nil : try? IndexedStream(path: path)
  }
}
