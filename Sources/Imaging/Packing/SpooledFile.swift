// A pipe, or the unpacked bytes of a file, made readable at any place: in a temporary file that has no name.

import Foundation
import TensorStream

enum SpooledFile {
  /// Copies what `read` gives, to its end, into a file in `folder` that vanishes with its last reader, however the
  /// process ends. Throws `Failure(.cannotCreate)` where no such file can be made, `.io` where the disk does not take
  /// it.
  static func make(name: String, folder: String, read: (UnsafeMutableRawPointer, Int) throws -> Int) throws -> ByteFile
  {
    var template = Array("\(folder)/.pmae-pack.XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw Failure(.cannotCreate, "\(folder): no temporary file for \(name): \(String(cString: strerror(errno)))")
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    do {
      let memory = Scratch<UInt8>()
      let size = 1 << 20
      let base = memory.reserve(size)
      while true {
        let count = try read(base, size)
        let code = writeAll(descriptor, UnsafeRawBufferPointer(start: base, count: count))
        if code != 0 { throw Failure(.io, "\(folder): cannot keep \(name) there: \(errorText(code))") }
        if count < size { break }
      }
    } catch {
      close(descriptor)
      throw error
    }
    // From here on it closes itself, where this throws too.
    return try ByteFile(descriptor: descriptor, name: name, owned: true)
  }
}
