// Zip and 7z archives, by libarchive, as the tar file that holds the same members in the same order. So one rule says
// what members mean, which of them are pictures, and what labels them. The tar file is a temporary one; see
// SpooledFile.

import Foundation
import TensorStream

#if Archives
  import CArchive
#endif

/// The members of an archive, read as a tar file.
final class ArchiveMembers {
  /// Whether a file that starts so is an archive that is read here.
  static func isArchive(_ head: [UInt8]) -> Bool {
    [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]].contains { head.starts(with: $0) }
  }

  #if Archives
    private let reader: ArchiveReader
    /// What is still to be given: headers, the beginning of a member, what fills up its last block, the end mark.
    private var pending: [UInt8] = []
    /// Of the member, after what is pending.
    private var left = 0
    /// What fills up the member's last block.
    private var padding = 0
    private var member = ""
    private var hasEnded = false
    private var count = 0

    /// - Parameter file: a regular file.
    /// - Throws: `Failure(.data)` where it is no archive, or damaged, or cut short.
    init(_ file: ByteFile) throws {
      reader = try ArchiveReader(file) { handle in
        // By the directory at its end: an archive that was cut short has none.
        archive_read_support_format_zip_seekable(handle)
        archive_read_support_format_7zip(handle)
      }
    }

    /// Reads up to `size` bytes of the tar file, fewer only at its end. Throws `Failure(.data)` where a member is damaged or encrypted.
    func read(into memory: UnsafeMutableRawPointer, count size: Int) throws -> Int {
      var done = 0
      while done < size {
        if !pending.isEmpty {
          let n = min(size - done, pending.count)
          pending.withUnsafeBytes { (memory + done).copyMemory(from: $0.baseAddress!, byteCount: n) }
          pending.removeFirst(n)
          done += n
        } else if left > 0 {
          let wanted = min(size - done, left)
          let n = try reader.read(into: memory + done, count: wanted, member: member)
          guard n == wanted else {
            throw Failure(.data, "\(reader.file.name): \(member): ends \(grouped(left - n)) bytes too early")
          }
          done += n
          left -= n
        } else if padding > 0 {
          // The member's checksum is compared when it is read to its end.
          var byte: UInt8 = 0
          guard try reader.read(into: &byte, count: 1, member: member) == 0 else {
            throw Failure(.data, "\(reader.file.name): \(member): is longer than its entry says")
          }
          pending = [UInt8](repeating: 0, count: padding % TarMembers.block)
          padding = 0
        } else if hasEnded {
          break
        } else {
          try begin()
        }
      }
      return done
    }

    /// Begins the next member that may matter, or the end.
    private func begin() throws {
      while let entry = try reader.next() {
        let type = reader.call { archive_entry_filetype(entry) }
        guard type == S_IFREG else { continue }
        guard reader.call({ archive_entry_is_encrypted(entry) }) == 0 else {
          throw Failure(
            .data, "\(reader.file.name): \(try name(of: entry)): is encrypted: unpack it with its password first")
        }
        let name = try bytes(ofName: entry)
        member = printable(name)
        count += 1
        if let what = Self.foreign(name) { throw Failure(.data, "\(reader.file.name): \(what)") }
        let size = Int(archive_entry_size(entry))
        // No picture: see maximumPictureFileSize.
        guard size >= 0, size <= maximumPictureFileSize else { continue }
        pending = Self.header(name, size: size)
        left = size
        // One block more than needed stands for a size of whole blocks, whose end has to be looked at too.
        padding = size == 0 ? 0 : TarMembers.block + (TarMembers.block - size % TarMembers.block) % TarMembers.block
        return
      }
      hasEnded = true
      pending = [UInt8](repeating: 0, count: 2 * TarMembers.block)
    }

    private func bytes(ofName entry: OpaquePointer) throws -> [UInt8] {
      let text = reader.call { archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) }
      guard let text else {
        throw Failure(.data, "\(reader.file.name): member \(count + 1): its name cannot be read")
      }
      // Windows writes folders with a backslash.
      let name = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
      return name.contains(0x2F) ? name : name.map { $0 == 0x5C ? 0x2F : $0 }
    }

    private func name(of entry: OpaquePointer) throws -> String { printable(try bytes(ofName: entry)) }

    /// Files that are zip archives inside and hold no pictures as files.
    private static func foreign(_ name: [UInt8]) -> String? {
      let text = String(decoding: name, as: UTF8.self)
      if text.hasSuffix("/data.pkl") { return "a PyTorch file, not an archive of pictures" }
      if text.hasSuffix(".npy") {
        return "NumPy arrays (an .npz file), not an archive of pictures: save its pictures as PNG files"
      }
      return text == "[Content_Types].xml" ? "an Office document, not an archive of pictures" : nil
    }

    /// The blocks in front of a member: its name in one of its own if it is long.
    private static func header(_ name: [UInt8], size: Int) -> [UInt8] {
      guard name.count > 100 else { return block(name, size: size, type: UInt8(ascii: "0")) }
      let filled = name + [UInt8](repeating: 0, count: TarMembers.block - name.count % TarMembers.block)
      return block(Array("././@LongLink".utf8), size: name.count + 1, type: UInt8(ascii: "L")) + filled
        + block(Array(name.prefix(100)), size: size, type: UInt8(ascii: "0"))
    }

    /// GNU's header of a tar member.
    private static func block(_ name: [UInt8], size: Int, type: UInt8) -> [UInt8] {
      func octal(_ value: Int, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: digits - text.count) + text).utf8)
      }
      var header = name + [UInt8](repeating: 0, count: TarMembers.block - name.count)
      header.replaceSubrange(100..<107, with: octal(0o644, digits: 7))
      header.replaceSubrange(124..<135, with: octal(size, digits: 11))
      header[156] = type
      header.replaceSubrange(257..<265, with: Array("ustar  \0".utf8))
      header.replaceSubrange(148..<156, with: Array("        ".utf8))
      header.replaceSubrange(148..<154, with: octal(header.reduce(0) { $0 + Int($1) }, digits: 6))
      header[154] = 0
      return header
    }
  #else
    init(_ file: ByteFile) throws {
      throw Failure(
        .data,
        "\(file.name): an archive, which this build does not read: build it with the package trait Archives (libarchive-dev), or "
          + "unpack the file first")
    }

    func read(into memory: UnsafeMutableRawPointer, count size: Int) throws -> Int { 0 }
  #endif
}
