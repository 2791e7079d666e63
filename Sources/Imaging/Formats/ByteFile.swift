// Files by their bytes: opened by names that need not be text, read whole, with errors that say which file.

import Foundation
import TensorStream

/// A file name as the system has it: any bytes but zero. Not every name is UTF-8, and none may be lost for that.
public struct FilePath: Sendable, Hashable {
  public let bytes: [UInt8]

  public init(_ text: String) { bytes = Array(text.utf8) }
  init(bytes: [UInt8]) { self.bytes = bytes }

  func appending(_ name: [UInt8]) -> FilePath {
    FilePath(bytes: bytes.last == UInt8(ascii: "/") ? bytes + name : bytes + [UInt8(ascii: "/")] + name)
  }

  /// For people: text as it is; other bytes and control characters as \n, \t or \xNN, so that two names never look the same
  /// and a message stays on its line.
  public var description: String { printable(bytes) }

  func withCString<R>(_ body: (UnsafePointer<CChar>) throws -> R) rethrows -> R {
    try (bytes + [0]).withUnsafeBytes { try body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
  }
}

/// What tells a file that was read from one that has changed since.
struct FileStamp: Equatable, Sendable {
  let size: Int
  let seconds: Int
  let nanoseconds: Int
  let device: UInt64
  let inode: UInt64

  init(_ status: stat) {
    size = Int(status.st_size)
    seconds = Int(status.st_mtim.tv_sec)
    nanoseconds = Int(status.st_mtim.tv_nsec)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }
}

/// An open file, closed when it is let go. Sendable: `read(into:count:at:)` leaves it as it is, the other reads belong to one thread.
final class ByteFile: @unchecked Sendable {
  let descriptor: Int32
  let name: String
  let status: stat
  private let owned: Bool

  /// Opens for reading. Throws `Failure(.noInput)` where that fails.
  convenience init(_ path: FilePath) throws {
    let name = path.description
    // Non-blocking, so that opening a named pipe by mistake cannot hang.
    let descriptor = StallWatch.watch(name) { path.open(O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    if descriptor < 0 { throw Failure(.noInput, "\(name): \(String(cString: strerror(errno)))") }
    try self.init(descriptor: descriptor, name: name, owned: true)
  }

  /// Opens an operand for reading, standard input for `-`. A named pipe is waited for.
  /// Throws `Failure(.noInput)` where that fails, `.usage` for a terminal.
  convenience init(operand path: String) throws {
    if path == "-" {
      try self.init(descriptor: 0, name: "standard input", owned: false)
    } else {
      let path = FilePath(operand: path)
      let name = path.description
      let isPipe = path.status.map { $0.st_mode & S_IFMT == S_IFIFO } ?? false
      let open = { path.open(O_RDONLY | O_CLOEXEC) }
      let descriptor = isPipe ? open() : StallWatch.watch(name, open)
      if descriptor < 0 { throw Failure(.noInput, "\(name): \(String(cString: strerror(errno)))") }
      try self.init(descriptor: descriptor, name: name, owned: true)
    }
    if isatty(descriptor) == 1 { throw Failure(.usage, "\(name): is a terminal; expected a file or a pipe") }
  }

  init(descriptor: Int32, name: String, owned: Bool) throws {
    self.descriptor = descriptor
    self.name = name
    self.owned = owned
    var status = stat()
    let result = fstat(descriptor, &status)
    self.status = status
    if result != 0 { throw Failure(.io, "\(name): \(String(cString: strerror(errno)))") }
  }

  deinit { if owned { close(descriptor) } }

  var isRegular: Bool { status.st_mode & S_IFMT == S_IFREG }
  var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }
  var stamp: FileStamp { FileStamp(status) }

  /// Reads up to `count` bytes, fewer only at the end of the file.
  func read(into memory: UnsafeMutableRawPointer, count: Int) throws -> Int {
    try checked { TensorStream.readAll(descriptor, into: memory, count: count) }
  }

  /// Reads up to `count` bytes from `offset` on, fewer only at the end of the file. Any thread may call it.
  func read(into memory: UnsafeMutableRawPointer, count: Int, at offset: Int) throws -> Int {
    try checked { TensorStream.readAll(descriptor, into: memory, count: count, at: offset) }
  }

  private func checked(_ read: () -> Int) throws -> Int {
    // A pipe may wait for its writer as long as it likes.
    let count = isRegular ? StallWatch.watch(self.name, read) : read()
    if count < 0 { throw Failure(.io, "\(name): \(errorText(errno))") }
    return count
  }

  /// The same, as an array.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { $1 = try read(into: $0.baseAddress!, count: count, at: offset) }
  }

  /// Makes the next `read` begin at the file's first byte.
  func rewind() { lseek(descriptor, 0, SEEK_SET) }

  /// Reads a regular file from its beginning to its end. Throws `Failure(.data)` where it is larger than `limit` bytes, or where
  /// somebody writes to it meanwhile.
  func readAll(into memory: Scratch<UInt8>, limit: Int) throws -> UnsafeRawBufferPointer {
    guard isRegular else { throw Failure(.data, "\(name): neither a file nor a folder") }
    let size = Int(status.st_size)
    guard size <= limit else { throw Failure(.data, "\(name): \(size) bytes: at most \(limit) are accepted") }
    let base = memory.reserve(size)
    let count = try read(into: base, count: size)
    guard count == size else {
      throw Failure(.data, "\(name): ends after \(count) of \(size) bytes: changed while being read")
    }
    var after = stat()
    guard fstat(descriptor, &after) == 0, FileStamp(after) == stamp else {
      throw Failure(.data, "\(name): changed while being read")
    }
    return UnsafeRawBufferPointer(start: base, count: count)
  }
}
