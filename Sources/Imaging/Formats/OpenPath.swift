// Opening files with difficult names: too long for a system call, or not text.

import Foundation
import TensorStream

extension FilePath {
  /// What an operand names. Swift turns the arguments into text, so bytes that are not UTF-8 are looked up where the
  /// system left them.
  init(operand: String) {
    if operand.unicodeScalars.contains("\u{FFFD}") {
      for i in 1..<max(1, Int(CommandLine.argc)) {
        guard let argument = CommandLine.unsafeArgv[i], String(cString: argument) == operand else { continue }
        self.init(bytes: Array(UnsafeRawBufferPointer(start: argument, count: strlen(argument))))
        return
      }
    }
    self.init(operand)
  }

  /// The system takes so many bytes in one call, the zero at the end included.
  private static let longest = Int(PATH_MAX)

  /// open(2) for names of any length. A name that is too long is walked folder by folder. −1 where it fails; errno says
  /// why.
  func open(_ flags: Int32) -> Int32 {
    var folder = AT_FDCWD
    var rest = bytes[...]
    while rest.count >= Self.longest {
      guard let cut = rest.prefix(Self.longest - 1).lastIndex(of: UInt8(ascii: "/")), cut > rest.startIndex else {
        errno = ENAMETOOLONG
        return closing(folder, -1)
      }
      let next = Self.open(FilePath(bytes: Array(rest[..<cut])), at: folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      _ = closing(folder, next)
      if next < 0 { return -1 }
      folder = next
      rest = rest[cut...].drop { $0 == UInt8(ascii: "/") }
    }
    return closing(folder, Self.open(FilePath(bytes: Array(rest)), at: folder, flags))
  }

  private static func open(_ path: FilePath, at folder: Int32, _ flags: Int32) -> Int32 {
    while true {
      let descriptor = path.withCString { openat(folder, $0, flags) }
      if descriptor >= 0 || errno != EINTR { return descriptor }
    }
  }

  /// `result`, after a folder was closed that is not the process's own.
  private func closing(_ folder: Int32, _ result: Int32) -> Int32 {
    let saved = errno
    if folder != AT_FDCWD { close(folder) }
    errno = saved
    return result
  }

  /// Linux's O_PATH, which Swift does not import: no right to read is needed.
  private static let nameOnly: Int32 = 0o10_000_000

  /// stat(2), of names of any length; nil where it fails.
  var status: stat? { StallWatch.watch(description) { look() } }

  private func look() -> stat? {
    var status = stat()
    if bytes.count < Self.longest { return withCString({ stat($0, &status) }) == 0 ? status : nil }
    let descriptor = open(Self.nameOnly | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return fstat(descriptor, &status) == 0 ? status : nil
  }

  /// Whether there is something other than a folder of this name.
  var isFile: Bool { status.map { $0.st_mode & S_IFMT != S_IFDIR } ?? false }

  /// The last part of the name.
  var base: ArraySlice<UInt8> {
    let name = withoutEndingSlash
    return name[((name.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...]
  }

  /// The folder that it is in, `.` where the name says none.
  var folder: FilePath {
    let name = withoutEndingSlash
    guard let slash = name.lastIndex(of: UInt8(ascii: "/")) else { return FilePath(".") }
    return slash == 0 ? FilePath("/") : FilePath(bytes: Array(name[..<slash]))
  }

  private var withoutEndingSlash: ArraySlice<UInt8> {
    bytes[..<((bytes.lastIndex { $0 != UInt8(ascii: "/") } ?? -1) + 1)]
  }
}
