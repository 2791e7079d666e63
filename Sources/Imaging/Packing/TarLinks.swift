// Hard links in a tar file. tar stores a file that has several names once: the later names lead back to the first.

/// Where the bytes of hard links lie.
struct TarLinks {
  /// By the link's own place.
  private var files: [Int: TarMember] = [:]

  /// Reads all headers twice, the second time knowing which names links lead to. Few tar files have links, and their headers are
  /// small beside their pictures.
  /// - Throws: `Failure(.data)` where the file is damaged or cut short.
  init(_ file: ByteFile) throws {
    var targets: Set<[UInt8]> = []
    var members = TarMembers(file)
    while let member = try members.next() {
      if member.isHardLink { targets.insert(Self.path(member.target)) }
    }
    var known: [[UInt8]: TarMember] = [:]
    members = TarMembers(file)
    while let member = try members.next() {
      let path = Self.path(member.name)
      if member.isHardLink {
        files[member.offset] = known[Self.path(member.target)]
        if targets.contains(path) { known[path] = files[member.offset] }
      } else if targets.contains(path) {
        known[path] = member
      }
    }
  }

  /// A link as the file that it leads to, under its own name; nil where no file of that name is before it.
  func file(_ link: TarMember) -> TarMember? {
    guard var file = files[link.offset], file.isFile else { return nil }
    file.name = link.name
    return file
  }

  /// A path without what says nothing.
  private static func path(_ name: [UInt8]) -> [UInt8] {
    Array(FolderPaths.parts(name).joined(separator: [UInt8(ascii: "/")]))
  }
}
