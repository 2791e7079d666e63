// Files that are compressed as a whole, as tar files often are: told by their first bytes, read as they come.

import Foundation
import TensorStream

#if Archives
  import CArchive
#endif

enum Unpacking {
  typealias Reader = (UnsafeMutableRawPointer, Int) throws -> Int

  private static let marks: [(program: String, mark: [UInt8])] = [
    ("bzip2", Array("BZh".utf8)), ("xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]), ("zstd", [0x28, 0xB5, 0x2F, 0xFD]),
    ("lz4", [0x04, 0x22, 0x4D, 0x18]), ("lzip", Array("LZIP".utf8)), ("compress", [0x1F, 0x9D]),
  ]

  /// What has compressed a file that starts so; nil for one that is not compressed, and for gzip, which has its own reader.
  static func program(_ head: [UInt8]) -> String? { marks.first { head.starts(with: $0.mark) }?.program }

  #if Archives
    /// The reader that unpacks a regular file, from its first byte on. Throws `Failure(.data)`, then or when it reads,
    /// where the file is damaged or cut short.
    static func reader(of file: ByteFile, program: String) throws -> Reader {
      let reader = try ArchiveReader(file) { handle in
        archive_read_support_format_raw(handle)
        archive_read_support_filter_bzip2(handle)
        archive_read_support_filter_xz(handle)
        archive_read_support_filter_zstd(handle)
        archive_read_support_filter_lz4(handle)
        archive_read_support_filter_lzip(handle)
        archive_read_support_filter_compress(handle)
      }
      guard try reader.next() != nil else { return { _, _ in 0 } }
      return { try reader.read(into: $0, count: $1) }
    }
  #else
    static func reader(of file: ByteFile, program: String) throws -> Reader {
      throw Failure(
        .data,
        "\(file.name): compressed by \(program), which this build does not unpack: build it with the package trait Archives "
          + "(libarchive-dev), or unpack the file first")
    }
  #endif
}
