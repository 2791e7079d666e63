import Glibc

/// Where a document goes. A file is written under a temporary name in the folder of the final one, and gets its name
/// when it is whole and on disk. Standard output, a pipe or a device is written to directly.
final class OutputFile {
  /// What messages call it.
  let name: String
  /// True for a file that can be read from any place later, and so may have a seek table.
  let isFile: Bool
  private let overwrite: Bool
  private var descriptor: Int32
  private let closes: Bool
  private let finalPath: String
  private var temporaryPath: String?

  /// - Throws: `Failure(.usage)` for a terminal, `.cannotCreate` where the file is there already (unless `overwrite`) or
  ///   cannot be created.
  init(path: String, overwrite: Bool) throws {
    name = path == "-" ? "standard output" : path
    self.overwrite = overwrite
    var status = stat()
    if path == "-" {
      descriptor = 1
      closes = false
      finalPath = path
      isFile = fstat(1, &status) == 0 && status.isRegularFile && lseek(1, 0, SEEK_CUR) == 0
      try refuseTerminal()
      return
    }
    closes = true
    let exists = stat(path, &status) == 0
    if exists, status.isFolder { throw Failure(.cannotCreate, "\(path): is a folder") }
    if exists, !status.isRegularFile {
      // A named pipe or a device is written to as it is: nobody wants a file in its place.
      isFile = false
      finalPath = path
      descriptor = Int32(retrying(-1, waitingFor: 0) { Int(open(path, O_WRONLY | O_CLOEXEC)) })
      guard descriptor >= 0 else { throw creationFailure(path, errno) }
      // `deinit` closes it where this throws: all properties have their values.
      try refuseTerminal()
      return
    }
    if exists, !overwrite { throw Self.existsAlready(path) }
    isFile = true
    // A symbolic link keeps pointing to the file that is replaced.
    finalPath = exists ? Self.resolved(path) : path
    (descriptor, temporaryPath) = try Self.temporary(besides: finalPath, name: name)
  }

  deinit { cancel() }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    let code = writeAll(descriptor, bytes)
    if code != 0 { throw writeFailure(code) }
  }

  /// Brings everything to disk, and gives the file its name.
  /// - Parameter beforeNaming: called when a file is on disk whole, right before it gets its name.
  /// - Throws: `Failure(.io)` where the disk does not take it; `.cannotCreate` where a file of that name has appeared since.
  func finish(beforeNaming: () throws -> Void = {}) throws {
    guard descriptor >= 0 else { return }
    guard let temporary = temporaryPath else {
      if isFile { try sync() }
      if closes {
        let number = descriptor
        descriptor = -1
        if close(number) != 0, errno != EINTR { throw writeFailure(errno) }
      }
      return
    }
    try sync()
    let number = descriptor
    descriptor = -1
    if close(number) != 0, errno != EINTR { throw writeFailure(errno) }
    try beforeNaming()
    if overwrite {
      guard rename(temporary, finalPath) == 0 else { throw creationFailure(name, errno) }
    } else {
      try renameWithoutReplacing(temporary)
    }
    temporaryPath = nil
    try syncFolder()
  }

  /// Gives up, and leaves nothing behind. Does nothing after `finish()`.
  func cancel() {
    if closes, descriptor >= 0 { _ = close(descriptor) }
    descriptor = -1
    if let temporaryPath { unlink(temporaryPath) }
    temporaryPath = nil
  }

  /// `link` fails where the name is taken, so it never replaces a file that has appeared meanwhile. File systems
  /// without links get a check and a `rename`.
  private func renameWithoutReplacing(_ temporary: String) throws {
    if link(temporary, finalPath) == 0 {
      unlink(temporary)
      return
    }
    if errno == EEXIST { throw Self.existsAlready(name) }
    var status = stat()
    guard lstat(finalPath, &status) != 0 else { throw Self.existsAlready(name) }
    guard rename(temporary, finalPath) == 0 else { throw creationFailure(name, errno) }
  }

  private func sync() throws {
    guard retrying(descriptor, waitingFor: 0, { Int(fsync(descriptor)) }) == 0 else { throw writeFailure(errno) }
  }

  /// Brings the new name to disk too.
  private func syncFolder() throws {
    let folder = open(Self.folder(of: finalPath), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }  // A folder that may be written to but not read: nothing more can be done.
    defer { _ = close(folder) }
    if fsync(folder) != 0, errno == EIO { throw writeFailure(EIO) }
  }

  private func refuseTerminal() throws {
    if isatty(descriptor) == 1 {
      throw Failure(.usage, "\(name): is a terminal; a stream goes to a file or a pipe")
    }
  }

  private func writeFailure(_ code: Int32) -> Failure {
    Failure(code == EPIPE ? .brokenPipe : .io, "\(name): cannot write: \(errorText(code))")
  }

  private static func existsAlready(_ path: String) -> Failure {
    Failure(.cannotCreate, "\(path): exists already; it is not replaced without --overwrite")
  }

  private static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Creates `.NAME.RANDOM.partial` in the folder of `path`, with the permissions that a new file gets.
  private static func temporary(besides path: String, name: String) throws -> (Int32, String) {
    let last = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    // A file name may have 255 bytes.
    let stem = last.utf8.count <= 220 ? last : "pmae"
    while true {
      let random = String(UInt64.random(in: 0...(.max)), radix: 36)
      let temporary = "\(folder(of: path))/.\(stem).\(random).partial"
      let number = Int32(
        retrying(-1, waitingFor: 0) { Int(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)) })
      if number >= 0 { return (number, temporary) }
      guard errno == EEXIST else { throw creationFailure(name, errno) }
    }
  }
}
