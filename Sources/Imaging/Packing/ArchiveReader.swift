// libarchive's reader: what archives and compressed files have in common.

#if Archives
  import CArchive
  import Foundation
  import TensorStream

  /// An open reader of a file. For one thread at a time.
  final class ArchiveReader {
    let handle: OpaquePointer
    let file: ByteFile
    /// libarchive gives a member's name in the locale's characters, and replaces what the locale lacks. So the locale
    /// must have all characters.
    private let locale: locale_t?

    private static let blockSize = 1 << 17

    /// - Parameters:
    ///   - file: a regular file; it is read from its first byte on, and its place is moved.
    ///   - support: chooses formats and filters.
    init(_ file: ByteFile, support: (OpaquePointer) -> Void) throws {
      guard let handle = archive_read_new() else { throw Failure(.software, "\(file.name): no memory to unpack it") }
      self.handle = handle
      self.file = file
      locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
      support(handle)
      file.rewind()
      guard call({ archive_read_open_fd(handle, file.descriptor, Self.blockSize) }) == ARCHIVE_OK else {
        throw failure("cannot be unpacked")
      }
    }

    deinit {
      archive_read_free(handle)
      if let locale { freelocale(locale) }
    }

    /// Calls libarchive under the locale.
    func call<R>(_ body: () -> R) -> R {
      guard let locale else { return body() }
      let before = uselocale(locale)
      defer { uselocale(before) }
      return body()
    }

    /// Goes on to the next member; nil at the end. Throws `Failure(.data)` where the file is damaged.
    func next() throws -> OpaquePointer? {
      var entry: OpaquePointer?
      let status = call { archive_read_next_header(handle, &entry) }
      if status == ARCHIVE_EOF { return nil }
      guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else { throw failure("damaged") }
      return entry
    }

    /// Reads up to `count` bytes of a member, fewer only at its end.
    func read(into memory: UnsafeMutableRawPointer, count: Int, member: String? = nil) throws -> Int {
      var done = 0
      while done < count {
        let n = call { archive_read_data(handle, memory + done, count - done) }
        if n == 0 { break }
        if n == Int(ARCHIVE_RETRY) { continue }
        // A warning is about a checksum that is wrong.
        guard n > 0 else { throw failure(member.map { "\($0): cannot be unpacked" } ?? "damaged") }
        done += n
      }
      return done
    }

    func failure(_ what: String) -> Failure {
      let text = archive_error_string(handle).map { String(cString: $0) } ?? "no reason is known"
      return Failure(.data, "\(file.name): \(what): \(text)")
    }
  }
#endif
