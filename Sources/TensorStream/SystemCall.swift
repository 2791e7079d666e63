import Glibc

/// The text of an `errno`.
package func errorText(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// The kind of failure where a file cannot be made or named. A full or broken disk is a failure of writing here too.
package func creationFailure(_ name: String, _ code: Int32) -> Failure {
  Failure([ENOSPC, EDQUOT, EIO].contains(code) ? .io : .cannotCreate, "\(name): \(errorText(code))")
}

/// Calls `body` again while a signal interrupts it, and waits where a descriptor that does not block is not ready.
/// Returns what it returned; negative with `errno` set where it failed.
package func retrying(_ descriptor: Int32, waitingFor events: Int32, _ body: () -> Int) -> Int {
  while true {
    let result = body()
    if result >= 0 { return result }
    switch errno {
    case EINTR: continue
    case EAGAIN, EWOULDBLOCK:
      var ready = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      _ = poll(&ready, 1, -1)
    default: return result
    }
  }
}

/// Writes all bytes to a descriptor: every write of this package that is not a library's.
/// - Returns: 0, or the `errno` of the write that failed.
package func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int32 {
  var rest = bytes
  while !rest.isEmpty {
    // Some kernels refuse to write 2 GiB or more at once.
    let count = retrying(descriptor, waitingFor: POLLOUT) {
      write(descriptor, rest.baseAddress, min(rest.count, 1 << 30))
    }
    if count < 0 { return errno }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
  return 0
}

/// Reads up to `count` bytes from a descriptor, fewer only where it ends.
/// - Parameter offset: where in the file; nil to go on after the last read. With an offset, any thread may call it.
/// - Returns: the bytes read; negative with `errno` set where a read fails.
package func readAll(
  _ descriptor: Int32, into memory: UnsafeMutableRawPointer, count: Int, at offset: Int? = nil
) -> Int {
  var done = 0
  while done < count {
    let part = retrying(descriptor, waitingFor: POLLIN) {
      offset.map { pread(descriptor, memory + done, count - done, off_t($0 + done)) }
        ?? read(descriptor, memory + done, count - done)
    }
    if part < 0 { return part }
    if part == 0 { break }
    done += part
  }
  return done
}

/// An open descriptor, closed when nobody needs it any more.
package final class Descriptor: Sendable {
  package let number: Int32
  private let closes: Bool

  package init(_ number: Int32, closes: Bool) {
    self.number = number
    self.closes = closes
  }

  deinit { if closes { _ = close(number) } }

  /// Opens a file, or standard input for "-", for reading.
  /// - Throws: `Failure(.noInput)` where it is missing, not readable or a folder; `.usage` where it is a terminal.
  static func reading(path: String) throws -> Descriptor {
    let name = inputName(path)
    let descriptor: Descriptor
    if path == "-" {
      descriptor = Descriptor(0, closes: false)
    } else {
      let number = Int32(retrying(-1, waitingFor: 0) { Int(open(path, O_RDONLY | O_CLOEXEC)) })
      guard number >= 0 else { throw Failure(.noInput, "\(name): \(errorText(errno))") }
      descriptor = Descriptor(number, closes: true)
    }
    if isatty(descriptor.number) == 1 {
      throw Failure(.usage, "\(name): is a terminal; expected a file or a pipe")
    }
    return descriptor
  }

  /// What `fstat` says.
  func status(name: String) throws -> stat {
    var status = stat()
    guard fstat(number, &status) == 0 else { throw Failure(.noInput, "\(name): \(errorText(errno))") }
    return status
  }
}

/// Whether a folder has this name, or a link to one.
package func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.isFolder
}

/// The folder that a path names a file in: what is before its last slash; empty where it has none.
package func parentFolder(of path: String) -> String {
  guard let slash = path.utf8.lastIndex(of: 0x2F) else { return "" }
  return slash == path.startIndex ? "/" : String(decoding: path.utf8[..<slash], as: UTF8.self)
}

/// What messages call an input.
package func inputName(_ path: String) -> String { path == "-" ? "standard input" : path }

extension stat {
  package var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
  package var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
}
